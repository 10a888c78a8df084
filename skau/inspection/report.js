"use strict";
// A click on a column's head sorts the table by it; a second click turns the order round.
// Cells without a value stay at the end either way.
const names = new Intl.Collator(undefined, {numeric: true});
for (const table of document.querySelectorAll("div.table table")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const number = head.classList.contains("number");
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === (number ? "descending" : "ascending")
        ? !number : number; // numbers begin with the largest, names with A
      const keyed = [...body.rows].map((row) => [row.cells[column].dataset.key, row]);
      keyed.sort(([x], [y]) => {
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = number ? Number(x) - Number(y) || 0 // two infinite ones are equal
          : names.compare(x, y);
        return down ? -order : order;
      });
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...keyed.map(([, row]) => row));
    });
  });
}
