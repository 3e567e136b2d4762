<?php
// wordpress.php - as much of WordPress as the plugin of clients/examples touches, in memory; its HTTP is real. Reads what the
// newsroom does as lines of JSON, {"do": "save", "id": 1, "status": "publish", …}, and says what came of each, as one too.
declare(strict_types=1);

define('ABSPATH', __DIR__);
define('NEWSWIRE_URL', getenv('NEWSWIRE_URL'));
define('NEWSWIRE_KEY', getenv('NEWSWIRE_KEY'));

class WP_Post
{
	public function __construct(public int $ID, public string $post_status, public string $post_title, public string $post_content,
		public string $post_excerpt = '', public string $post_type = 'post', public string $post_author = '1', public int $modified = 0)
	{
	}
}
class WP_Error
{
	public function __construct(private string $message)
	{
	}
	public function get_error_message(): string
	{
		return $this->message;
	}
}

$actions = $shortcodes = $meta = $options = $cron = $modules = [];
$current = null;

function add_action(string $name, callable $call, int $priority = 10, int $count = 1): void { $GLOBALS['actions'][$name][] = $call; }
function add_shortcode(string $name, callable $call): void { $GLOBALS['shortcodes'][$name] = $call; }
function do_action(string $name, mixed ...$given): void { foreach ($GLOBALS['actions'][$name] ?? [] as $call) { $call(...$given); } }
function apply_filters(string $name, string $text): string { return "<p>$text</p>"; }
function wp_parse_url(string $url, int $part): mixed { return parse_url($url, $part); }
function home_url(): string { return 'https://courier.example/blog'; }
function get_the_category(int $id): array { return [(object) ['slug' => 'world'], (object) ['slug' => 'sport']]; }
function get_post_modified_time(string $format, bool $gmt, WP_Post $post): int { return $post->modified; }
function get_post_time(string $format, bool $gmt, WP_Post $post): int { return 1768042927; }
function get_locale(): string { return 'en_GB'; }
function wp_strip_all_tags(string $text): string { return strip_tags($text); }
function get_the_title(WP_Post $post): string { return $post->post_title; }
function has_excerpt(WP_Post $post): bool { return $post->post_excerpt !== ''; }
function get_the_excerpt(WP_Post $post): string { return $post->post_excerpt; }
function get_the_author_meta(string $name, int $id): string { return 'Ilse Marrow'; }
function get_the_post_thumbnail_url(WP_Post $post, string $size): string|false { return 'https://courier.example/pier.jpg'; }
function get_the_post_thumbnail_caption(WP_Post $post): string { return 'The pier.'; }
function wp_json_encode(mixed $value): string|false { return json_encode($value); }
function is_wp_error(mixed $value): bool { return $value instanceof WP_Error; }
function wp_remote_retrieve_response_code(array $answer): int { return $answer['status']; }
function wp_remote_retrieve_body(array $answer): string { return $answer['body']; }
function get_post_meta(int $id, string $key, bool $single): mixed { return $GLOBALS['meta'][$id][$key] ?? ''; }
function update_post_meta(int $id, string $key, mixed $value): void { $GLOBALS['meta'][$id][$key] = $value; }
function get_option(string $key, mixed $preset): mixed { return $GLOBALS['options'][$key] ?? $preset; }
function update_option(string $key, mixed $value, bool $autoload): void { $GLOBALS['options'][$key] = $value; }
function wp_schedule_single_event(int $time, string $name): void { $GLOBALS['cron'][] = $name; }
function get_post(): ?WP_Post { return $GLOBALS['current']; }
function esc_html(string $text): string { return htmlspecialchars($text); }
function esc_attr(string $text): string { return htmlspecialchars($text); }
function esc_url(string $text): string { return htmlspecialchars($text); }
function shortcode_atts(array $preset, array $given): array { return array_intersect_key($given, $preset) + $preset; }
function wp_enqueue_script_module(string $id, string $src): void { $GLOBALS['modules'][] = $src; }

function wp_remote_post(string $url, array $asked): array|WP_Error
{
	$headers = array_map(fn ($name, $value) => "$name: $value", array_keys($asked['headers']), $asked['headers']);
	$body = @file_get_contents($url, false, stream_context_create(['http' => ['method' => 'POST', 'header' => $headers,
		'content' => $asked['body'], 'timeout' => $asked['timeout'], 'ignore_errors' => true, 'follow_location' => 0]]));
	if ($body === false) {
		return new WP_Error('could not connect');
	}
	return ['status' => (int) explode(' ', $http_response_header[0])[1], 'body' => $body];
}

require __DIR__ . '/../../clients/examples/wordpress/newswire.php';

$posts = [];
while (($line = fgets(STDIN)) !== false) {
	$asked = json_decode($line, true);
	$before = isset($asked['id']) ? $posts[$asked['id']] ?? null : null;
	ob_start();
	switch ($asked['do']) {
	case 'save':
		$current = $posts[$asked['id']] = new WP_Post($asked['id'], $asked['status'], $asked['title'] ?? $before->post_title,
			$asked['content'] ?? $before->post_content, $asked['excerpt'] ?? '', $asked['type'] ?? 'post', '1', $asked['modified'] ?? time());
		do_action('wp_after_insert_post', $asked['id'], $current, $before !== null, $before);
		do_action('admin_notices');
		break;
	case 'delete':
		do_action('before_delete_post', $asked['id'], $before);
		break;
	case 'cron':
		foreach (array_splice($cron, 0) as $name) {
			do_action($name);
		}
		break;
	case 'shortcode':
		echo $shortcodes['newswire']($asked['with']);
		break;
	}
	$said = ob_get_clean();
	echo json_encode(['meta' => $meta[$asked['id'] ?? 0]['_newswire'] ?? null, 'said' => $said, 'cron' => $cron, 'waiting' => count(get_option('newswire_queue', [])),
		'modules' => $modules]), "\n";
}
