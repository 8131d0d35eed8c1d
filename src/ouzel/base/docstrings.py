"""What stands under the fields of a class: the one place where a setting is described."""

from __future__ import annotations


def field_docs(cls: type) -> dict[str, str]:
    """By the names of its fields, and of those of the classes that it is made of. Reads its source."""
    import ast
    import inspect
    import textwrap

    told: dict[str, str] = {}
    for each in reversed(cls.__mro__[:-1]):
        [body] = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(body, ast.ClassDef)
        for field, text in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
                told[ast.unparse(field.target)] = " ".join(str(text.value.value).split())
    return told
