"""The page behind the link that the first start prints. In English and Chinese, without any other file."""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)
_PATH = "/setup"


def setup_link(address: str, token: str) -> str:
    """What the daemon prints. The token stands behind `#`, which browsers send to nobody and no log has.

    Args:
        address: where browsers reach us, as `http://127.0.0.1:8521`.
        token: of `Auth.setup_token`.
    """
    return f"{address.rstrip('/')}{_PATH}#{token}"


@router.get(_PATH)
async def show_setup() -> HTMLResponse:
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(_PAGE.replace("NONCE", nonce), headers={"Content-Security-Policy": policy})


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ouzel</title>
<style nonce="NONCE">
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 12vh auto; padding: 0 1rem; }
  label { display: block; margin: 1rem 0; }
  input { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .4rem; }
  button { font: inherit; padding: .4rem 1.2rem; }
</style>
<main>
  <h1 data-text="title"></h1>
  <form>
    <label><span data-text="name"></span><input name="name" autocomplete="username" maxlength="64" required></label>
    <label><span data-text="password"></span>
      <input name="password" type="password" autocomplete="new-password" maxlength="256" required></label>
    <button data-text="make"></button>
  </form>
  <p role="status"></p>
</main>
<script nonce="NONCE">
  const zh = navigator.language.toLowerCase().startsWith("zh");
  const texts = zh
    ? { title: "创建第一个账号", name: "用户名", password: "密码（至少 12 个字符）", make: "创建",
        done: "管理员账号已创建，你已登录。", failed: "未能创建：", lost: "无法连接到 Ouzel。" }
    : { title: "The first account", name: "Name", password: "Password (12 characters at least)", make: "Make it",
        done: "The administrator's account is made, and you are signed in.", failed: "It was not made: ",
        lost: "Ouzel cannot be reached." };
  document.documentElement.lang = zh ? "zh" : "en";
  for (const each of document.querySelectorAll("[data-text]")) each.textContent = texts[each.dataset.text];
  const form = document.querySelector("form"), status = document.querySelector("[role=status]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { token: location.hash.slice(1), name: form.elements.name.value, password: form.elements.password.value };
    try {
      const answer = await fetch("api/auth/setup", {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      if (answer.ok) {
        history.replaceState(null, "", location.pathname);
        form.remove();
        status.textContent = texts.done;
      } else {
        status.textContent = texts.failed + (await answer.json()).detail;
      }
    } catch {
      status.textContent = texts.lost;
    }
  });
</script>
</html>
"""
