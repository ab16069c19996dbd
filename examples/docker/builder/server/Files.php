<?php

declare(strict_types=1);

/** The files below one folder that anybody may have. */
final class Files
{
    private const TYPES = [
        'css' => 'text/css; charset=utf-8', 'js' => 'text/javascript; charset=utf-8', 'svg' => 'image/svg+xml',
        'png' => 'image/png', 'txt' => 'text/plain; charset=utf-8', 'html' => 'text/html; charset=utf-8',
    ];

    public function __construct(private readonly string $folder)
    {
    }

    /** Null where there is no such file. Nothing leaves the folder. */
    public function find(string $path): ?Response
    {
        $file = $this->folder . $path;
        if (preg_match('~(^|/)\.|\0|\\\\~', $path) || !is_file($file)) {
            return null;
        }
        $type = self::TYPES[strtolower(pathinfo($file, PATHINFO_EXTENSION))] ?? 'application/octet-stream';
        return new Response(200, file_get_contents($file), ['Content-Type' => $type, 'Cache-Control' => 'max-age=60']);
    }
}
