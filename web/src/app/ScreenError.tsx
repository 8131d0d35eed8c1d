import { Button } from "@mantine/core";
import type { ErrorComponentProps } from "@tanstack/react-router";
import { CloudOff } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Empty } from "../ui/Empty";
import { troubled } from "../words/sentences";

/** One screen failed; the rail and the others work still. */
export function ScreenError({ error, reset }: Pick<ErrorComponentProps, "error"> & { reset?: () => void }) {
  const { t } = useTranslation();
  const { sentence, detail } = troubled(error);
  return (
    <Empty icon={CloudOff} title={t("app.failed.title")} text={sentence} small={detail}>
      <Button onClick={() => (reset ? reset() : location.reload())}>{t("app.failed.again")}</Button>
    </Empty>
  );
}
