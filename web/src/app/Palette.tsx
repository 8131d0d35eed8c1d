import { Group, Kbd, Modal, ScrollArea, Text, TextInput, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Keyboard, Languages, LogOut, type LucideIcon, Moon, Radio, Search, Sun } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, told } from "../api/client";
import { signOut } from "../api/session";
import { failed } from "../ui/toast";
import { speak } from "../words";
import classes from "./Palette.module.css";
import { useSections } from "./sections";

interface Command {
  key: string;
  group: string;
  words: string;
  small?: string;
  icon: LucideIcon;
  act: () => unknown;
}

const FOUND = 8;

/** One field for everything: places, actions, channels. Arrows choose, Enter does it. */
export default function Palette({ onClose, onKeys }: { onClose: () => void; onKeys: () => void }) {
  const { t, i18n } = useTranslation();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [settled] = useDebouncedValue(text.trim(), 150);
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const sections = useSections();
  const { data } = useQuery({
    queryKey: ["channels", "palette", settled],
    queryFn: () => told(api.GET("/api/channels", { params: { query: { text: settled, limit: FOUND } } })),
    enabled: settled.length > 0,
    placeholderData: (before) => before,
  });
  const other = i18n.language === "zh" ? "en" : "zh";
  const fixed: Command[] = [
    ...sections.map((each) => ({
      key: each.to,
      group: t("app.search.go"),
      words: t(`app.section.${each.name}`),
      icon: each.icon,
      act: () => navigate({ to: each.to }),
    })),
    {
      key: "light",
      group: t("app.search.do"),
      words: `${t("app.theme.title")}: ${t("app.theme.light")}`,
      icon: Sun,
      act: () => setColorScheme("light"),
    },
    {
      key: "dark",
      group: t("app.search.do"),
      words: `${t("app.theme.title")}: ${t("app.theme.dark")}`,
      icon: Moon,
      act: () => setColorScheme("dark"),
    },
    {
      key: "language",
      group: t("app.search.do"),
      words: t(`app.language.${other}`),
      icon: Languages,
      act: () => speak(other),
    },
    { key: "keys", group: t("app.search.do"), words: t("app.shortcuts.title"), icon: Keyboard, act: onKeys },
    {
      key: "out",
      group: t("app.search.do"),
      words: t("app.signOut"),
      icon: LogOut,
      act: () => signOut().catch(failed),
    },
  ];
  const wanted = text.trim().toLocaleLowerCase();
  const commands: Command[] = [
    ...(wanted ? (data?.items ?? []) : []).map((each) => ({
      key: each.id,
      group: t("app.search.channels"),
      words: each.name,
      small: each.platform,
      icon: Radio,
      act: () => navigate({ to: "/", search: { channel: each.id } }),
    })),
    ...fixed.filter((each) => each.words.toLocaleLowerCase().includes(wanted)),
  ];
  const chosen = Math.min(at, commands.length - 1);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    void command.act();
  };
  const press = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return; // Enter belongs to the input method
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((chosen + step + commands.length) % Math.max(commands.length, 1));
    } else if (event.key === "Enter") run(commands[chosen]);
  };
  return (
    <Modal.Root opened onClose={onClose} size="lg" padding={0} yOffset="10vh" centered={false}>
      <Modal.Overlay backgroundOpacity={0.5} blur={2} />
      <Modal.Content aria-label={t("app.search.open")}>
        <TextInput
          data-autofocus
          size="lg"
          variant="unstyled"
          px="md"
          leftSection={<Search size={18} aria-hidden />}
          leftSectionWidth={44}
          placeholder={t("app.search.hint")}
          aria-label={t("app.search.open")}
          role="combobox"
          aria-expanded
          aria-controls="palette"
          aria-activedescendant={chosen >= 0 ? `palette-${chosen}` : undefined}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={press}
        />
        <ScrollArea.Autosize mah="56vh" className={classes.list}>
          <div id="palette" role="listbox" aria-label={t("app.search.open")}>
            {commands.map((each, index) => (
              <UnstyledButton
                key={each.key}
                id={`palette-${index}`}
                role="option"
                aria-selected={index === chosen}
                tabIndex={-1}
                className={classes.item}
                data-chosen={index === chosen || undefined}
                onMouseMove={() => setAt(index)}
                onClick={() => run(each)}
              >
                <each.icon size={17} aria-hidden />
                <Text span size="sm" truncate style={{ flex: 1 }}>
                  {each.words}
                </Text>
                <Text span size="xs" c="dimmed">
                  {each.small ?? each.group}
                </Text>
                {index === chosen && <Kbd size="xs">↵</Kbd>}
              </UnstyledButton>
            ))}
          </div>
          {commands.length === 0 && (
            <Group p="md">
              <Text size="sm" c="dimmed">
                {t("app.search.nothing")}
              </Text>
            </Group>
          )}
        </ScrollArea.Autosize>
      </Modal.Content>
    </Modal.Root>
  );
}
