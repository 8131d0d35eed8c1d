import { ActionIcon, Group, Kbd, Text, UnstyledButton } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Bell } from "./Bell";
import { ConnectionDot } from "./ConnectionDot";
import classes from "./Top.module.css";
import { UserMenu } from "./UserMenu";
import { Working } from "./Working";

export function Top({ onSearch, onKeys }: { onSearch: () => void; onKeys: () => void }) {
  const { t } = useTranslation();
  return (
    <Group h="100%" px={{ base: "sm", sm: "md" }} gap="sm" wrap="nowrap" justify="space-between">
      <Link to="/" className={classes.brand}>
        <img src="icon.svg" width={28} height={28} alt={t("app.name")} />
        <Text span fw={700} fz="lg" visibleFrom="xs" aria-hidden>
          {t("app.name")}
        </Text>
      </Link>
      <UnstyledButton className={classes.search} onClick={onSearch} data-wide aria-keyshortcuts="/ Control+K">
        <Search size={16} aria-hidden />
        <Text span size="sm" c="dimmed" truncate style={{ flex: 1 }}>
          {t("app.search.hint")}
        </Text>
        <Kbd size="xs">/</Kbd>
      </UnstyledButton>
      <Group gap={6} wrap="nowrap">
        <ActionIcon size="lg" onClick={onSearch} hiddenFrom="sm" aria-label={t("app.search.open")}>
          <Search size={19} />
        </ActionIcon>
        <Working />
        <ConnectionDot />
        <Bell />
        <UserMenu onKeys={onKeys} />
      </Group>
    </Group>
  );
}
