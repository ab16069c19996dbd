<p>There is nothing at <code><?= $e($path) ?></code>. <a href="/">The notes</a> are elsewhere.</p>
