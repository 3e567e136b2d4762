/**
 * words.js - what <news-feed> says, in the languages that it speaks by itself.
 *
 * Any other is given to an element as its property `words`: an object of the same shape, of which
 * whatever is missing is English.
 */
import { ENGLISH } from '../story/words.js';

/**
 * @typedef {import('../story/words.js').Words & {
 *   label: string, live: string, connecting: string, reconnecting: string, offline: string, closed: string,
 *   refused: string, pause: string, resume: string, paused: string, more: string, failed: string, empty: string,
 *   saidWithdrawn: string, newStories: import('../story/words.js').Forms,
 * }} FeedWords `{time}` in reconnecting and offline is when the server was last heard
 */

/** @type {FeedWords} */
const en = {
	...ENGLISH,
	label: 'News, newest first',
	live: 'Live',
	connecting: 'Connecting…',
	reconnecting: 'Reconnecting… last update {time}',
	offline: 'Offline… last update {time}',
	closed: 'Disconnected',
	refused: 'This news cannot be shown.',
	pause: 'Pause',
	resume: 'Resume',
	paused: 'Paused. Withdrawals still take effect.',
	more: 'Show more',
	failed: 'That did not work. Try again',
	empty: 'No news yet.',
	saidWithdrawn: 'A story was withdrawn',
	newStories: { one: '{n} new story', other: '{n} new stories' },
};

/** @type {FeedWords} */
const de = {
	...en, locale: 'de', lang: 'de',
	flash: 'Eilmeldung', bulletin: 'Wichtig', urgent: 'Dringend', update: 'Neuer Stand',
	video: 'Video', audio: 'Audio', graphic: 'Grafik', picture: 'Bild',
	by: 'Von {name}', reading: '{n} Min. Lesezeit', readMore: 'Weiterlesen', readLess: 'Weniger',
	watch: 'Ansehen', watchFor: 'Ansehen ({n} Min.)', author: 'Zur Person',
	correction: 'Korrektur', updated: 'Aktualisiert', withdrawn: 'Zurückgezogen', withheld: 'Zurückgehalten',
	withdrawnNotice: 'Diese Meldung wurde zurückgezogen.', withheldNotice: 'Diese Meldung wird vorläufig zurückgehalten.',
	label: 'Nachrichten, neueste zuerst', live: 'Live', connecting: 'Verbinden …',
	reconnecting: 'Neu verbinden … Stand {time}', offline: 'Offline … Stand {time}', closed: 'Getrennt',
	refused: 'Diese Nachrichten können nicht gezeigt werden.', pause: 'Anhalten', resume: 'Fortsetzen',
	paused: 'Angehalten. Zurückgezogenes verschwindet weiterhin.', more: 'Mehr zeigen', failed: 'Das ging nicht. Noch einmal',
	empty: 'Noch keine Nachrichten.', saidWithdrawn: 'Eine Meldung wurde zurückgezogen',
	newStories: { one: '{n} neue Meldung', other: '{n} neue Meldungen' },
};

/** @type {FeedWords} */
const fr = {
	...en, locale: 'fr', lang: 'fr',
	flash: 'Flash', bulletin: 'Important', urgent: 'Urgent', update: 'Suite',
	video: 'Vidéo', audio: 'Audio', graphic: 'Infographie', picture: 'Photo',
	by: 'Par {name}', reading: '{n} min de lecture', readMore: 'Lire la suite', readLess: 'Réduire',
	watch: 'Regarder', watchFor: 'Regarder ({n} min)', author: 'À propos de l’auteur',
	correction: 'Rectificatif', updated: 'Mis à jour', withdrawn: 'Retiré', withheld: 'Suspendu',
	withdrawnNotice: 'Cet article a été retiré.', withheldNotice: 'Cet article est provisoirement suspendu.',
	label: 'Actualités, les plus récentes d’abord', live: 'En direct', connecting: 'Connexion…',
	reconnecting: 'Reconnexion… dernière mise à jour {time}', offline: 'Hors ligne… dernière mise à jour {time}', closed: 'Déconnecté',
	refused: 'Ces actualités ne peuvent pas être affichées.', pause: 'Pause', resume: 'Reprendre',
	paused: 'En pause. Les retraits restent appliqués.', more: 'Afficher plus', failed: 'Échec. Réessayer',
	empty: 'Pas encore d’actualités.', saidWithdrawn: 'Un article a été retiré',
	newStories: { one: '{n} nouvel article', other: '{n} nouveaux articles' },
};

/** @type {FeedWords} */
const es = {
	...en, locale: 'es', lang: 'es',
	flash: 'Última hora', bulletin: 'Importante', urgent: 'Urgente', update: 'Novedad',
	video: 'Vídeo', audio: 'Audio', graphic: 'Gráfico', picture: 'Foto',
	by: 'Por {name}', reading: '{n} min de lectura', readMore: 'Leer más', readLess: 'Leer menos',
	watch: 'Ver', watchFor: 'Ver ({n} min)', author: 'Sobre el autor',
	correction: 'Corrección', updated: 'Actualizado', withdrawn: 'Retirada', withheld: 'Retenida',
	withdrawnNotice: 'Esta noticia ha sido retirada.', withheldNotice: 'Esta noticia está retenida por el momento.',
	label: 'Noticias, las más recientes primero', live: 'En directo', connecting: 'Conectando…',
	reconnecting: 'Reconectando… última actualización {time}', offline: 'Sin conexión… última actualización {time}', closed: 'Desconectado',
	refused: 'Estas noticias no se pueden mostrar.', pause: 'Pausar', resume: 'Reanudar',
	paused: 'En pausa. Las retiradas siguen teniendo efecto.', more: 'Mostrar más', failed: 'No ha funcionado. Reintentar',
	empty: 'Todavía no hay noticias.', saidWithdrawn: 'Se ha retirado una noticia',
	newStories: { one: '{n} noticia nueva', other: '{n} noticias nuevas' },
};

/** @type {FeedWords} */
const uk = {
	...en, locale: 'uk', lang: 'uk',
	flash: 'Блискавка', bulletin: 'Важливо', urgent: 'Терміново', update: 'Доповнення',
	video: 'Відео', audio: 'Аудіо', graphic: 'Графіка', picture: 'Фото',
	by: 'Автор: {name}', reading: '{n} хв читання', readMore: 'Читати далі', readLess: 'Згорнути',
	watch: 'Дивитися', watchFor: 'Дивитися ({n} хв)', author: 'Про автора',
	correction: 'Виправлення', updated: 'Оновлено', withdrawn: 'Відкликано', withheld: 'Призупинено',
	withdrawnNotice: 'Цю новину відкликано.', withheldNotice: 'Цю новину тимчасово призупинено.',
	label: 'Новини, найновіші спершу', live: 'Наживо', connecting: 'З’єднання…',
	reconnecting: 'Відновлення зв’язку… оновлено о {time}', offline: 'Немає мережі… оновлено о {time}', closed: 'Від’єднано',
	refused: 'Ці новини не можна показати.', pause: 'Пауза', resume: 'Продовжити',
	paused: 'Пауза. Відкликане й далі зникає.', more: 'Показати більше', failed: 'Не вдалося. Ще раз',
	empty: 'Новин ще немає.', saidWithdrawn: 'Новину відкликано',
	newStories: { one: '{n} нова новина', few: '{n} нові новини', many: '{n} нових новин', other: '{n} нової новини' },
};

/** @type {FeedWords} */
const ar = {
	...en, locale: 'ar', lang: 'ar', dir: 'rtl',
	flash: 'عاجل جداً', bulletin: 'هام', urgent: 'عاجل', update: 'تحديث',
	video: 'فيديو', audio: 'صوت', graphic: 'رسم بياني', picture: 'صورة',
	by: 'بقلم {name}', reading: 'قراءة {n} د', readMore: 'اقرأ المزيد', readLess: 'عرض أقل',
	watch: 'شاهد', watchFor: 'شاهد ({n} د)', author: 'عن الكاتب',
	correction: 'تصحيح', updated: 'مُحدَّث', withdrawn: 'سُحب', withheld: 'محجوب',
	withdrawnNotice: 'سُحب هذا الخبر.', withheldNotice: 'هذا الخبر محجوب مؤقتاً.',
	label: 'الأخبار، الأحدث أولاً', live: 'مباشر', connecting: 'جارٍ الاتصال…',
	reconnecting: 'إعادة الاتصال… آخر تحديث {time}', offline: 'غير متصل… آخر تحديث {time}', closed: 'انقطع الاتصال',
	refused: 'لا يمكن عرض هذه الأخبار.', pause: 'إيقاف مؤقت', resume: 'استئناف',
	paused: 'متوقف مؤقتاً. يستمر سحب الأخبار.', more: 'عرض المزيد', failed: 'تعذّر ذلك. حاول مجدداً',
	empty: 'لا أخبار بعد.', saidWithdrawn: 'سُحب خبر',
	newStories: { zero: 'لا أخبار جديدة', one: 'خبر جديد', two: 'خبران جديدان', few: '{n} أخبار جديدة', many: '{n} خبراً جديداً', other: '{n} خبر جديد' },
};

/** @type {Record<string, FeedWords>} */
const SPOKEN = { en, de, fr, es, uk, ar };

/** The languages that need no words from outside. */
export const LANGUAGES = Object.keys(SPOKEN);

/** A language that Intl can make use of, or ''. @param {string} lang */
function localeOf(lang) {
	try {
		return Intl.getCanonicalLocales(lang)[0] ?? '';
	} catch {
		return '';
	}
}

/**
 * The words for a language: its own, or English, with what a site says itself put over.
 * @param {string} lang as in the attribute
 * @param {Partial<FeedWords>} [own]
 * @returns {FeedWords}
 */
export function wordsOf(lang, own) {
	const locale = localeOf(lang);
	const spoken = SPOKEN[locale.slice(0, 2).toLowerCase()];
	if (spoken)
		return { ...spoken, locale: locale === 'en' ? spoken.locale : locale, ...own };
	return own ? { ...en, locale: locale || en.locale, lang: locale || en.lang, ...own } : en;
}
