<p><?= htmlspecialchars($message) ?></p>
