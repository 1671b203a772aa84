"""`python -m uncertain_llm` is the command `uncertain-llm`."""

from uncertain_llm.cli.entry import main

if __name__ == "__main__":
    main()
