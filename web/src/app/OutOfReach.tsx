import { Button } from "@mantine/core";
import { Unplug } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Empty } from "../ui/Empty";

/** The page came out of a cache, or the daemon ended while it was loading. */
export function OutOfReach() {
  const { t } = useTranslation();
  return (
    <Empty icon={Unplug} title={t("app.unreachable.title")} text={t("app.unreachable.text")}>
      <Button onClick={() => location.reload()}>{t("app.failed.again")}</Button>
    </Empty>
  );
}
