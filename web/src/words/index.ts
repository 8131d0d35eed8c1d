import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type en from "../made/words.en";

export type Language = "en" | "zh";
export const LANGUAGES: readonly Language[] = ["en", "zh"];

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

const KEY = "ouzel.language";
const LOAD = { en: () => import("../made/words.en"), zh: () => import("../made/words.zh") };

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** As chosen in this browser, else as it prefers. */
export function preferred(): Language {
  const said = stored();
  if (said === "en" || said === "zh") return said;
  return navigator.languages
    .find((each) => /^(zh|en)/i.test(each))
    ?.slice(0, 2)
    .toLowerCase() === "zh"
    ? "zh"
    : "en";
}

async function load(language: Language): Promise<void> {
  if (i18next.hasResourceBundle(language, "translation")) return;
  i18next.addResourceBundle(language, "translation", (await LOAD[language]()).default);
}

export async function startWords(): Promise<void> {
  const language = preferred();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: {},
    partialBundledLanguages: true,
    interpolation: { escapeValue: false }, // React escapes
    returnNull: false,
  });
  await load(language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

export async function speak(language: Language): Promise<void> {
  await load(language);
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // it is for this page only, then
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}
