"""``prior-bench model``: print the card of a public model, or the table of all."""

import argparse

HELP = "print the card of a public model: paper, weights, access, training data, and how to load it"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="SUBVERB", required=True)
    describe = actions.add_parser("describe", help="print a card")
    describe.add_argument("name", metavar="NAME", help="a model (prior-bench list models)")
    actions.add_parser("table", help="print the table of all cards, as in docs/models.md")


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from prior_bench.models.cards import model_card, model_cards
    from prior_bench.models.text import card_as_text, table_of_cards

    if args.action == "table":
        print(table_of_cards(model_cards()), end="")
    else:
        print(card_as_text(args.name, model_card(args.name)))
    return 0
