import { useTranslation } from "react-i18next";
import type { components } from "../made/schema";
import type en from "../made/words.en";
import { sentence } from "./sentences";

type Notice = components["schemas"]["NoticeOut"];

/** A notice as a sentence, by its code. */
export function useNoticeText(): (notice: Notice) => string {
  const { t, i18n } = useTranslation();
  return ({ code, data }) => {
    const key = code.replaceAll(".", "_");
    if (!i18n.exists(`notice.${key}`)) return code;
    const why = typeof data.code === "string" ? sentence(data.code) : "";
    return t(`notice.${key as keyof typeof en.notice}`, { why, ...data });
  };
}
