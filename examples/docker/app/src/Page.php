<?php

declare(strict_types=1);

/** Templates, each a PHP file that prints; what they print stands in `layout.php`. */
final class Page
{
    public function __construct(private readonly string $folder, private readonly array $site)
    {
    }

    public function show(string $template, array $values): string
    {
        $content = $this->render($template, $values);
        return $this->render('layout', ['content' => $content, 'here' => $template]);
    }

    private function render(string $template, array $values): string
    {
        $e = fn (string $text): string => htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
        $site = $this->site;
        extract($values, EXTR_SKIP);
        ob_start();
        try {
            require "$this->folder/$template.php";
            return ob_get_contents();
        } finally {
            ob_end_clean();
        }
    }
}
