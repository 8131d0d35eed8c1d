import { Avatar, Menu, UnstyledButton, useMantineColorScheme, VisuallyHidden } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Check, Keyboard, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { useTranslation } from "react-i18next";
import { signOut, useSession } from "../api/session";
import { failed } from "../ui/toast";
import { LANGUAGES, speak } from "../words";

const SCHEMES = [
  ["auto", Monitor],
  ["light", Sun],
  ["dark", Moon],
] as const;

export function UserMenu({ onKeys }: { onKeys: () => void }) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const client = useQueryClient();
  const me = useSession((session) => session.me);
  const name = me?.user?.name ?? "";
  const leave = () => signOut().then(() => client.clear(), failed);
  return (
    <Menu position="bottom-end" width={232} shadow="lg">
      <Menu.Target>
        <UnstyledButton p={3}>
          <Avatar size={32} radius="xl" color="ouzel" variant="light" name={name}>
            {[...name].slice(0, 2).join("").toUpperCase()}
          </Avatar>
          <VisuallyHidden>{`${t("app.account")}: ${name}`}</VisuallyHidden>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {name} · {me ? t(`app.role.${me.role}`) : ""}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Label>{t("app.theme.title")}</Menu.Label>
        {SCHEMES.map(([scheme, Icon]) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon size={16} aria-hidden />}
            rightSection={colorScheme === scheme ? <Check size={15} aria-hidden /> : null}
            aria-current={colorScheme === scheme}
            onClick={() => setColorScheme(scheme)}
            closeMenuOnClick={false}
          >
            {t(`app.theme.${scheme}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t("app.language.title")}</Menu.Label>
        {LANGUAGES.map((each) => (
          <Menu.Item
            key={each}
            lang={each}
            rightSection={i18n.language === each ? <Check size={15} aria-hidden /> : null}
            aria-current={i18n.language === each}
            onClick={() => void speak(each)}
          >
            {t(`app.language.${each}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<Keyboard size={16} aria-hidden />} onClick={onKeys}>
          {t("app.shortcuts.title")}
        </Menu.Item>
        <Menu.Item leftSection={<LogOut size={16} aria-hidden />} onClick={leave}>
          {t("app.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
