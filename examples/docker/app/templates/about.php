<p>One program without libraries: PHP <?= $e(PHP_VERSION) ?>, a web server and this application.</p>
<p>At most <?= $e((string) $site['most-notes']) ?> notes are shown; memory is limited to <?= $e(ini_get('memory_limit')) ?>.</p>
