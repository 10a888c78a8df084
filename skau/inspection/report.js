"use strict";
// A click on a column's head sorts the table by it; a second click turns the order round.
// Cells without a value stay at the end either way.
for (const table of document.querySelectorAll("div.table table")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const number = head.classList.contains("number");
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === (number ? "descending" : "ascending")
        ? !number : number; // numbers begin with the largest, names with A
      const key = (row) => row.cells[column].dataset.key;
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = number ? Number(x) - Number(y)
          : x.localeCompare(y, undefined, {numeric: true});
        return down ? -order : order;
      });
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...rows);
    });
  });
}
