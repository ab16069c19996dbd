<?php

declare(strict_types=1);

/** Notes in a file, one a line as JSON, the newest first. Several processes may share it. */
final class Notes
{
    private const LONGEST = 500;

    public function __construct(private readonly string $folder, private readonly int $most)
    {
    }

    /** @return list<array{text: string, at: string}> */
    public function all(): array
    {
        $lines = @file($this->path(), FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES) ?: [];
        $notes = array_map(fn (string $line): mixed => json_decode($line, true), array_slice($lines, -$this->most));
        return array_reverse(array_values(array_filter($notes, is_array(...))));
    }

    /** What is wrong with a text; null if nothing is. */
    public function mistake(string $text): ?string
    {
        return match (true) {
            $text === '' => 'A note needs a text.',
            !mb_check_encoding($text, 'UTF-8') => 'This is no text.',
            mb_strlen($text) > self::LONGEST => 'A note has at most ' . self::LONGEST . ' letters.',
            default => null,
        };
    }

    public function add(string $text): void
    {
        if (!is_dir($this->folder) && !@mkdir($this->folder, 0o700, true) && !is_dir($this->folder)) {
            throw new RuntimeException("cannot make `$this->folder`");
        }
        $line = json_encode(['text' => $text, 'at' => gmdate('Y-m-d H:i')], JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
        if (file_put_contents($this->path(), "$line\n", FILE_APPEND | LOCK_EX) === false) {
            throw new RuntimeException("cannot write `{$this->path()}`");
        }
    }

    private function path(): string
    {
        return "$this->folder/notes.jsonl";
    }
}
