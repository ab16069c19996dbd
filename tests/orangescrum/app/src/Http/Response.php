<?php

declare(strict_types=1);

namespace App\Http;

final class Response
{
    public function __construct(
        public readonly string $body,
        public readonly string $type = 'text/html; charset=utf-8',
        public readonly int $status = 200,
    ) {
    }

    public static function json(mixed $value, int $status = 200): self
    {
        $flags = JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR;

        return new self(json_encode($value, $flags) . "\n", 'application/json', $status);
    }

    public static function page(string $template, array $values, int $status = 200): self
    {
        $render = static function (string $file, array $values): string {
            extract($values);
            ob_start();
            require $file;

            return (string)ob_get_clean();
        };
        $content = $render(ROOT . "/templates/$template.php", $values);

        return new self($render(ROOT . '/templates/layout/default.php', $values + ['content' => $content]), status: $status);
    }

    public function send(): void
    {
        http_response_code($this->status);
        header("Content-Type: $this->type");
        echo $this->body;
    }
}
