"""Floor 5: everything that talks to models; litellm, tenacity and recordings live here.

Import from the modules: `litellm_model` (one request), `retry` (the calls of a request),
`replay_model` (recorded replies), `models` (from a name to a model), `io_loop` (for sync callers)
and `redaction` (secrets out of text).
"""
