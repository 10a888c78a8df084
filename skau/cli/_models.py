"""``skau models``: what ships."""

import click


@click.command("models")
def command() -> None:
    """List the models that come with skau.

    Use one:  skau predict photo.jpg --model open-1
    """
    from ..models import list_models

    for model in list_models().to_dict("records"):
        click.echo(f"{model['name']}: {model['summary']}")
        click.echo(f"  {', '.join(model['au_names'])}")
        click.echo(f"  {model['size'] / 1e6:.1f} MB, {model['licence']}")
