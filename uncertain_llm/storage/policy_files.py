"""Policies as YAML files, with errors that name file, line, field and what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeGuard, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from uncertain_llm.core.errors import PolicyError
from uncertain_llm.policy import CalibrationFile, Policy
from uncertain_llm.storage.calibration_files import (
    is_calibration,
    load_calibration,
    parse_calibration,
)

__all__ = ["load_policy", "parse_policy", "policy_schema", "shipped_policies"]

_SUFFIXES = (".yaml", ".yml")
Location = tuple[int | str, ...]


@cache
def shipped_policies() -> tuple[str, ...]:
    """Return the names of the policies that come with the library.

    Example:
        >>> shipped_policies()
        ('balanced', 'cautious', 'measure_only')
    """
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def load_policy(source: str | Path) -> Policy:
    """Return the policy of a shipped name, of a YAML file, or of a FITTED file.

    A calibration that a policy file names is read too; a FITTED file holds its own policy.

    Args:
        source: A name such as "balanced", the path of a file that ends in .yaml or .yml, or the
            path of a file that `uncertain-llm fit` wrote.

    Raises:
        PolicyError: There is no such policy, or the file is wrong; the message names the file,
            the line, the field and what is allowed there.

    Example:
        >>> load_policy("balanced").decide.cuts.answer > 0.5
        True
    """
    if not isinstance(source, str | Path):
        raise PolicyError(
            f"a policy is a name, a path or a Policy, got {type(source).__name__}; a mapping of "
            "fields becomes one by Policy.model_validate(...)"
        )
    path = Path(source)
    if path.suffix not in _SUFFIXES and str(source) in shipped_policies():
        path = _folder() / f"{source}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(shipped_policies())
        raise PolicyError(
            f"cannot read policy '{source}' ({_why(error)}); expected one of {names}, or the path "
            "of a .yaml file"
        ) from error
    if is_calibration(text):
        return _fitted_policy(parse_calibration(text, name=str(source)))
    policy = parse_policy(text, name=str(source))
    if not isinstance(policy.calibration, str):
        return policy
    calibration = load_calibration(path.parent / policy.calibration)
    return policy.model_copy(update={"calibration": calibration})


def parse_policy(text: str, *, name: str) -> Policy:
    """Return the policy written in a YAML text.

    Args:
        text: The YAML text.
        name: How errors call it, usually the file's name.

    Raises:
        PolicyError: The text is not YAML, or not a policy.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_duplicates(node, name)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(f"{name} line {line}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PolicyError(f"{name}: not valid YAML: {error}") from error
    if not isinstance(data, Mapping):
        raise PolicyError(f"{name}: expected fields such as 'name:' and 'decide:', got {data!r}")
    try:
        return Policy.model_validate(data)
    except ValidationError as error:
        found = [_sentence(detail, node, name) for detail in error.errors()]
        raise PolicyError("; ".join(found)) from error


def policy_schema() -> str:
    """Return the JSON schema of policy files, for editors; `policies/policy.schema.json` is it."""
    schema = Policy.model_json_schema()
    schema["title"] = "uncertain_llm policy"
    return json.dumps(schema, indent=2) + "\n"


def _fitted_policy(calibration: CalibrationFile) -> Policy:
    policy = Policy.model_validate(calibration.policy)
    return policy.model_copy(update={"calibration": calibration})


def _folder() -> Path:
    here = Path(__file__).resolve().parent.parent
    installed = here / "policies"
    # In a checkout the policies lie beside the package; a wheel carries them inside.
    return installed if installed.is_dir() else here.parent / "policies"


def _why(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8 text"
    return (error.strerror or type(error).__name__).lower()


def _refuse_duplicates(node: yaml.Node | None, name: str) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.value in seen:
            line = key.start_mark.line + 1
            raise PolicyError(f"{name} line {line}: '{key.value}' is given twice; keep one")
        seen.add(key.value)
        _refuse_duplicates(value, name)


def _sentence(detail: ErrorDetails, node: yaml.Node | None, name: str) -> str:
    loc: Location = detail["loc"]
    line = _line_of(node, loc)
    field = ".".join(str(part) for part in loc) or "policy"
    where = f"{name} line {line}: " if line else f"{name}: "
    kind, message = detail["type"], detail["msg"]
    if kind == "extra_forbidden":
        allowed = _fields_at(loc[:-1])
        close = difflib.get_close_matches(str(loc[-1]), allowed, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        return f"{where}'{field}' is not a field{hint}; allowed here: {', '.join(allowed)}"
    if kind == "missing":
        return f"{where}'{field}' is missing"
    if kind == "value_error":
        return where + message.removeprefix("Value error, ")
    value = detail["input"]
    shown = f", got {value!r}" if isinstance(value, str | int | float | bool | None) else ""
    text = message[0].lower() + message[1:]
    return f"{where}'{field}' {text.replace('input should', 'should')}{shown}"


def _line_of(node: yaml.Node | None, loc: Location) -> int | None:
    """Return the line, counted from 1, of a field; of its nearest parent if it is not there."""
    line = None
    for part in loc:
        if not isinstance(node, yaml.MappingNode):
            break
        found = [(key, value) for key, value in node.value if key.value == str(part)]
        if not found:
            break
        key, node = found[0]
        line = key.start_mark.line + 1
    return line


def _fields_at(loc: Location) -> Sequence[str]:
    model: type[BaseModel] = Policy
    for part in loc:
        annotation = model.model_fields[str(part)].annotation
        # Of an optional part (Costs | None) the part counts.
        kinds = [k for k in (annotation, *get_args(annotation)) if _is_model(k)]
        if not kinds:
            return ()
        model = kinds[0]
    return list(model.model_fields)


def _is_model(kind: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
