"""Floor 0: numbers. Arrays and floats in, arrays, floats and frozen results out; no language model.

Each module stands alone: import what you need from it, for example
`from uncertain_llm.stats.ranking import auroc`.
"""
