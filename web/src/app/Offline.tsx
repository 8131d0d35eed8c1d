import { Alert } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { WifiOff } from "lucide-react";
import { useTranslation } from "react-i18next";

export function Offline() {
  const { t } = useTranslation();
  if (useNetwork().online) return null;
  return (
    <Alert
      mb="md"
      color="ember"
      variant="light"
      icon={<WifiOff size={18} aria-hidden />}
      title={t("app.offline")}
      role="status"
    />
  );
}
