// Before anything is painted: the colours and the language that were chosen, so that neither flashes. A file, because the page's CSP
// allows no script that stands in it.
(() => {
  const root = document.documentElement;
  let scheme = "auto";
  let language = "";
  try {
    scheme = localStorage.getItem("ouzel.scheme") || "auto";
    language = localStorage.getItem("ouzel.language") || "";
  } catch {
    // storage is switched off in this browser: what the system says
  }
  const dark = scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  root.style.backgroundColor = dark ? "#0d1316" : "#f6f8f8";
  root.lang = (language || navigator.language).toLowerCase().startsWith("zh") ? "zh-CN" : "en";
})();
