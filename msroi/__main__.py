"""The program `msroi`, which Ctrl-C ends at once, also while it loads: nothing is half written."""

import signal


def main() -> None:
    """Run `msroi`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from msroi.cli import main as run  # takes a while to load

    run()


if __name__ == "__main__":
    main()
