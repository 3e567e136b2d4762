<?php
/**
 * Plugin Name: Newswire
 * Description: Sends posts to a newswired when they are published, corrected or taken back, and shows the live news with [newswire].
 * Version: 0.1.0
 * Requires at least: 6.5
 * Requires PHP: 8.0
 * License: Apache-2.0
 *
 * In wp-config.php:
 *
 *     define('NEWSWIRE_URL', 'https://news.example');      // the server
 *     define('NEWSWIRE_KEY', '…');                         // a key that may publish, correct and kill (newswire keys add)
 *     define('NEWSWIRE_CHANNELS', 'world');                // or: each category's slug, if this is not defined
 *
 * A post that is thrown away is killed, for good: write a new one. One that goes back to a draft is withheld, and comes back
 * with the next version. What became of a post stands in its meta `_newswire`, and above the editor if it did not go out. A server that does not
 * answer is tried again by WP-Cron, in the order in which things happened, until it does.
 */

declare(strict_types=1);

namespace Newswire;

if (!defined('ABSPATH')) {
	exit;
}

const AGAIN_AFTER_S = [10, 30, 60, 300, 900, 3600];

/** The post's name in the newswire: the same for ever, also when its address changes. */
function uri(\WP_Post $post): string
{
	return 'tag:' . wp_parse_url(home_url(), PHP_URL_HOST) . ',2026:post:' . $post->ID;
}

/** @return string[] */
function channels(\WP_Post $post): array
{
	if (defined('NEWSWIRE_CHANNELS')) {
		return explode(',', NEWSWIRE_CHANNELS);
	}
	return array_column(get_the_category($post->ID), 'slug');
}

/** A later version has a higher number than any before it: the seconds of its change, if they are more. */
function version(\WP_Post $post): string
{
	$last = get_post_meta($post->ID, '_newswire', true);
	return (string) max((int) get_post_modified_time('U', true, $post), (int) ($last['version'] ?? 0) + 1);
}

/** @return array[] the picture of the post as ninjs has it, or nothing */
function picture(\WP_Post $post): array
{
	$href = get_the_post_thumbnail_url($post, 'large');
	$caption = (string) get_the_post_thumbnail_caption($post);
	return !$href ? [] : [array_filter([
		'uri' => uri($post) . ':picture', 'type' => 'picture', 'rel' => 'featured', 'name' => 'main',
		'descriptions' => $caption === '' ? [] : [['role' => 'caption', 'value' => $caption]],
		'renditions' => [['name' => 'main', 'href' => $href]],
	])];
}

/** The post as ninjs 3.1. `usable`; `withheld`: it may come back; `canceled`: never. */
function item(\WP_Post $post, string $status): array
{
	$item = [
		'uri' => uri($post), 'version' => version($post), 'versionCreated' => gmdate('Y-m-d\TH:i:s\Z'), 'type' => 'text', 'pubStatus' => $status,
	];
	if ($status !== 'usable') {
		return $item;
	}
	return array_filter($item + [
		'firstCreated' => gmdate('Y-m-d\TH:i:s\Z', (int) get_post_time('U', true, $post)),
		'language' => str_replace('_', '-', get_locale()),
		'headlines' => [['role' => 'main', 'value' => wp_strip_all_tags(get_the_title($post))]],
		'descriptions' => has_excerpt($post) ? [['role' => 'summary', 'value' => wp_strip_all_tags(get_the_excerpt($post))]] : [],
		'bodies' => [['role' => 'main', 'contentType' => 'text/html', 'value' => apply_filters('the_content', $post->post_content)]],
		'by' => get_the_author_meta('display_name', (int) $post->post_author),
		'associations' => picture($post),
	]);
}

/** Posts one item. Returns true: the answer is final, and kept; false: nobody answered, or not now. */
function send(int $id, array $item, string $channels): bool
{
	$body = (string) wp_json_encode($item);
	$answer = wp_remote_post(NEWSWIRE_URL . '/v1/items?channels=' . rawurlencode($channels), [
		'timeout' => 10,
		'redirection' => 0, // a POST that is redirected becomes a GET, and looks like a success
		'headers' => [
			'Content-Type' => 'application/json',
			'Authorization' => 'Bearer ' . NEWSWIRE_KEY,
			'Idempotency-Key' => '"' . md5($body . $channels) . '"',
		],
		'body' => $body,
	]);
	$status = is_wp_error($answer) ? 0 : (int) wp_remote_retrieve_response_code($answer);
	$said = is_wp_error($answer) ? $answer->get_error_message() : wp_remote_retrieve_body($answer);
	$final = $status >= 200 && $status < 500 && !in_array($status, [408, 425, 429], true);
	update_post_meta($id, '_newswire', [
		'sent' => $status >= 200 && $status < 300,
		'final' => $final,
		'status' => $status,
		'said' => $said,
		'version' => $item['version'],
		'time' => time(),
	]);
	return $final;
}

/** What waits for a server that did not answer, oldest first: a kill must not overtake what it kills. */
function queue(): array
{
	return (array) get_option('newswire_queue', []);
}

function enqueue(int $id, array $item, array $channels): void
{
	$queue = queue();
	$queue[] = [$id, $item, implode(',', $channels)];
	update_option('newswire_queue', $queue, false);
	work();
}

/** Sends what waits, until one is not answered; that one is tried again later, and the others behind it. */
function work(): void
{
	$tries = (int) get_option('newswire_tries', 0);
	while (($queue = queue()) !== []) {
		if (!send(...$queue[0])) {
			update_option('newswire_tries', $tries + 1, false);
			wp_schedule_single_event(time() + AGAIN_AFTER_S[min($tries, count(AGAIN_AFTER_S) - 1)], 'newswire_again');
			return;
		}
		$tries = 0;
		update_option('newswire_queue', array_slice(queue(), 1), false);
	}
	update_option('newswire_tries', 0, false);
}

function send_as(\WP_Post $post, string $status): void
{
	$channels = channels($post);
	if ($channels !== []) {
		enqueue($post->ID, item($post, $status), $channels);
	}
}

/** A post was saved, with all that belongs to it: published, changed while it is public, hidden, or thrown away. */
function saved(int $id, \WP_Post $post, bool $update, ?\WP_Post $before): void
{
	$was_public = $before !== null && $before->post_status === 'publish';
	if ($post->post_type !== 'post') {
		return;
	}
	if ($post->post_status === 'publish') {
		send_as($post, 'usable');
	} elseif ($was_public) {
		send_as($post, $post->post_status === 'trash' ? 'canceled' : 'withheld');
	}
}

/** One that is deleted for good without the bin. */
function deleted(int $id, \WP_Post $post): void
{
	if ($post->post_type === 'post' && $post->post_status === 'publish') {
		send_as($post, 'canceled');
	}
}

/** Says in the editor what did not go out. */
function tell(): void
{
	$post = get_post();
	$said = $post ? get_post_meta($post->ID, '_newswire', true) : null;
	if (!is_array($said) || $said['sent']) {
		return;
	}
	$problem = json_decode((string) $said['said'], true);
	$why = $problem['detail'] ?? $said['said'];
	printf('<div class="notice notice-%s"><p>%s %s</p></div>', $said['final'] ? 'error' : 'warning',
		$said['final'] ? 'Newswire has refused this post:' : 'This post has not gone out yet; Newswire is tried again.', esc_html((string) $why));
}

/** [newswire channels="world"]: the live list. */
function shortcode($given): string
{
	$asked = shortcode_atts(['channels' => ''], (array) $given);
	wp_enqueue_script_module('newswire-feed', NEWSWIRE_URL . '/sdk/news-feed.js');
	return sprintf('<news-feed src="%s" channels="%s"><a href="%1$s">The news</a></news-feed>', esc_url(NEWSWIRE_URL . '/'), esc_attr($asked['channels']));
}

add_action('wp_after_insert_post', __NAMESPACE__ . '\saved', 10, 4);
add_action('before_delete_post', __NAMESPACE__ . '\deleted', 10, 2);
add_action('newswire_again', __NAMESPACE__ . '\work');
add_action('admin_notices', __NAMESPACE__ . '\tell');
add_shortcode('newswire', __NAMESPACE__ . '\shortcode');
