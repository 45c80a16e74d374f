"""``prior-bench checkpoint``: describe a weights file, or convert it to the prior-bench format."""

import argparse

HELP = "inspect or convert a checkpoint file"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    inspect = actions.add_parser("inspect", help="print layout, hash, use of each tensor and expected input")
    inspect.add_argument("file", help="a weights file, or a folder as on a hub")
    inspect.add_argument("--all", action="store_true", help="list every tensor")
    convert = actions.add_parser("convert", help="write it as a safetensors file of prior-bench")
    convert.add_argument("file", help="a weights file, or a folder with config.json")
    convert.add_argument("-o", "--output", required=True, metavar="FILE", help="a .safetensors file to write")
    convert.add_argument(
        "--tokenizer",
        metavar="PATH",
        help="tokenizer of the text encoder: a folder, tokenizer.json or vocab.txt",
    )
    convert.add_argument(
        "--text-encoder", metavar="PATH", help="text encoder in another place: a folder, or hf:ORG/NAME"
    )
    convert.add_argument(
        "--image-only", action="store_true", help="leave out the text encoder; requires no tokenizer"
    )
    convert.add_argument(
        "--input",
        metavar="KEY=VALUE,…",
        help="the input that the file does not state, e.g. mean=(0.485,0.456,0.406),std=(0.229,0.224,0.225)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb; return 1 if an inspected file does not match its layout."""
    return _inspect(args) if args.action == "inspect" else _convert(args)


def _inspect(args: argparse.Namespace) -> int:
    from pathlib import Path

    from prior_bench.backbones.describe import as_text, describe
    from prior_bench.backbones.describe_folder import describe_folder, folder_as_text
    from prior_bench.backbones.reference import library_of

    if library := library_of(Path(args.file)):
        whole = describe_folder(args.file, library)
        print(folder_as_text(whole))
        return 1 if whole.problems else 0
    found = describe(args.file)
    print(as_text(found, every_tensor=args.all))
    return 1 if found.problems else 0


def _convert(args: argparse.Namespace) -> int:
    from pathlib import Path

    from prior_bench.backbones.convert import convert
    from prior_bench.cli.arguments import keywords
    from prior_bench.errors import BenchError

    if Path(args.output).suffix != ".safetensors":
        raise BenchError(
            "the output must be a safetensors file", where=args.output, fix="-o NAME.safetensors"
        )
    given = keywords(args.input, "--input") if args.input else None
    what = convert(
        args.file,
        args.output,
        tokenizer=args.tokenizer,
        image_only=args.image_only,
        input=given,
        text_encoder=args.text_encoder,
    )
    print(f"wrote {args.output}: {what}")
    return 0
