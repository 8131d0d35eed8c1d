import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Empty } from "../ui/Empty";

export function Nothing() {
  const { t } = useTranslation();
  return (
    <Empty icon={Compass} title={t("app.nothing.title")} text={t("app.nothing.text")}>
      <Button component={Link} to="/">
        {t("app.nothing.back")}
      </Button>
    </Empty>
  );
}
