/* A style sheet is its text: the build (server/embed.cmake) puts it into the script. */
declare module '*.css' {
	const text: string;
	export default text;
}
