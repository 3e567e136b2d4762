/* proof.c - SHA-256 of keys, HMACs of what was signed, compared by OpenSSL. */
#include "news/proof.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

static int hash_key(const char *key, unsigned char out[EVP_MAX_MD_SIZE])
{
	size_t len = strnlen(key, PROOF_KEY_MAX + 1);

	if (len == 0 || len > PROOF_KEY_MAX)
		return -1;
	return EVP_Digest(key, len, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : -1;
}

const struct publisher *proof_by_key(const struct publisher_book *book, const char *key)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	const struct publisher *found = NULL;

	if (hash_key(key, hash) == -1)
		return NULL;
	for (size_t i = 0; i < publisher_count(book); i++) {
		const struct publisher *p = publisher_at(book, i);

		if (p->hash != NULL && CRYPTO_memcmp(p->hash, hash, PUBLISHER_HASH_SIZE) == 0)
			found = p;
	}
	return found;
}

bool proof_is_key(const char *key, const char *own)
{
	unsigned char a[EVP_MAX_MD_SIZE], b[EVP_MAX_MD_SIZE];

	return hash_key(key, a) == 0 && hash_key(own, b) == 0 &&
	       CRYPTO_memcmp(a, b, PUBLISHER_HASH_SIZE) == 0;
}

/* --- signatures ------------------------------------------------------------------------------- */

enum { SHA1_SIZE = 20, SHA256_SIZE = 32 };

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As many bytes as are wanted, in lower-case digits, and nothing else. */
static int read_hex(const char *text, unsigned char *out, size_t size)
{
	if (strlen(text) != 2 * size)
		return -1;
	for (size_t i = 0; i < size; i++) {
		int high = hex_of(text[2 * i]), low = hex_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

/* `sha1=` and 40 digits. */
static int read_signature(const char *text, unsigned char out[SHA1_SIZE])
{
	return strncmp(text, "sha1=", 5) == 0 ? read_hex(text + 5, out, SHA1_SIZE) : -1;
}

const struct publisher *proof_by_signature(const struct publisher_book *book, const char *signature,
					   const void *bytes, size_t len)
{
	unsigned char told[SHA1_SIZE], made[EVP_MAX_MD_SIZE];
	const struct publisher *found = NULL;
	unsigned size;

	if (read_signature(signature, told) == -1)
		return NULL;
	for (size_t i = 0; i < publisher_count(book); i++) {
		const struct publisher *p = publisher_at(book, i);

		if (p->secret != NULL &&
		    HMAC(EVP_sha1(), p->secret, (int)strlen(p->secret), bytes, len, made, &size) !=
			    NULL &&
		    CRYPTO_memcmp(told, made, SHA1_SIZE) == 0)
			found = p;
	}
	return found;
}

int proof_is_signed_by(const struct publisher *p, const char *signature, const void *bytes,
		       size_t len)
{
	unsigned char told[SHA256_SIZE], made[EVP_MAX_MD_SIZE];
	unsigned size;

	if (p->secret == NULL || read_hex(signature, told, SHA256_SIZE) == -1)
		return 0;
	if (HMAC(EVP_sha256(), p->secret, (int)strlen(p->secret), bytes, len, made, &size) == NULL)
		return -1;
	return CRYPTO_memcmp(told, made, SHA256_SIZE) == 0;
}

bool proof_has_secrets(const struct publisher_book *book)
{
	for (size_t i = 0; i < publisher_count(book); i++)
		if (publisher_at(book, i)->secret != NULL)
			return true;
	return false;
}
