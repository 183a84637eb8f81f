"""careloom stories: play a pack's stories, told step by step."""

import click
from flask.cli import with_appcontext

from ..packs.library import found, grounds
from ..packs.story import DONE, FAILED, Told, play
from ..web.story_words import sentence
from .answers import label, language, refusals_in_words, told

MARKS = {DONE: "✓", FAILED: "✗"}


@click.command("stories")
@click.argument("pack")
@click.argument("names", nargs=-1)
@click.option("--steps", is_flag=True, help="Tell every step, also of stories that pass.")
@with_appcontext
@refusals_in_words
def stories(pack: str, names: tuple[str, ...], steps: bool) -> None:
    """Play the stories of PACK (a folder, a zip, or the key of a pack that comes with Careloom).

    NAMES: only these. They are played in a database of their own; nothing else is touched.
    """
    one, find = found(pack)
    outcome = play(grounds(one, find), names or None)
    for each in outcome:
        tell(each, steps or not each.passed)
    good = sum(each.passed for each in outcome)
    click.echo(told("story.passed", good=good, all=len(outcome)))
    if good < len(outcome):
        raise SystemExit(1)


def tell(story: Told, steps: bool) -> None:
    """One story: its title, and each step with what is wrong in it."""
    click.echo(f"{MARKS[DONE if story.passed else FAILED]} {story.key}  {label(story.title)}")
    scene = ""
    for line in story.lines if steps else ():
        if line.scene != scene:
            scene = line.scene
            click.echo(f"    {label(story.scenes.get(scene, scene))}")
        mark = MARKS.get(line.state, "·")
        click.echo(f"      {mark} {sentence(language(), line)}")
        for problem in line.problems:
            words = told("problem." + problem.code, **problem.params)
            click.echo("          " + f"{problem.path} {words}".strip())
