/**
 * Shows the reasons of a score on hover and focus. The tooltip stays while the pointer is on it and
 * goes with Escape (WCAG 2.2, 1.4.13).
 */
( function () {
	'use strict';

	var BADGE = '.mw-revisionquality[data-mw-revisionquality]',
		ID = 'mw-revisionquality-tooltip',
		LINGER_MS = 200,
		ASK_AFTER_MS = 300,
		asked = {},
		shownFor = null,
		tooltip = null,
		lingering = null,
		waiting = null;

	function reasonsOf( revId ) {
		if ( !asked[ revId ] ) {
			asked[ revId ] = new mw.Api( { ajax: { timeout: 10000 } } ).get( {
				action: 'revisionqualityreasons',
				revid: revId,
				uselang: mw.config.get( 'wgUserLanguage' ),
				formatversion: 2
			} ).then( function ( answer ) {
				return answer.revisionqualityreasons.reasons;
			} );
			asked[ revId ].catch( function () {
				delete asked[ revId ];
			} );
		}
		return asked[ revId ];
	}

	function paragraph( text ) {
		var element = document.createElement( 'p' );
		element.textContent = text;
		return element;
	}

	function listOf( reasons ) {
		var list = document.createElement( 'ul' );
		reasons.forEach( function ( reason ) {
			var item = document.createElement( 'li' ),
				phrase = document.createElement( 'bdi' );
			phrase.lang = reason.language;
			phrase.textContent = reason.text;
			item.appendChild( phrase );
			list.appendChild( item );
		} );
		return list;
	}

	function hide() {
		clearTimeout( lingering );
		clearTimeout( waiting );
		if ( tooltip ) {
			tooltip.remove();
			shownFor.removeAttribute( 'aria-describedby' );
		}
		tooltip = shownFor = null;
	}

	function place( badge ) {
		var box = badge.getBoundingClientRect(),
			isRtl = getComputedStyle( badge ).direction === 'rtl',
			start = isRtl ? box.right - tooltip.offsetWidth : box.left,
			widest = document.documentElement.clientWidth - tooltip.offsetWidth - 8;
		tooltip.style.top = ( box.bottom + window.pageYOffset + 4 ) + 'px';
		tooltip.style.left = ( Math.max( 8, Math.min( start, widest ) ) + window.pageXOffset ) + 'px';
	}

	function fill( badge, parts ) {
		if ( shownFor !== badge ) {
			return;
		}
		tooltip.textContent = '';
		[ paragraph( badge.getAttribute( 'aria-label' ) ) ].concat( parts ).forEach( function ( part ) {
			tooltip.appendChild( part );
		} );
		place( badge );
	}

	function ask( badge ) {
		reasonsOf( badge.getAttribute( 'data-mw-revisionquality' ) ).then( function ( reasons ) {
			fill( badge, reasons.length ?
				[ paragraph( mw.msg( 'revisionquality-reasons' ) ), listOf( reasons ) ] :
				[ paragraph( mw.msg( 'revisionquality-reasons-none' ) ) ] );
		}, function () {
			fill( badge, [ paragraph( mw.msg( 'revisionquality-reasons-none' ) ) ] );
		} );
	}

	function show( badge ) {
		clearTimeout( lingering );
		if ( shownFor === badge ) {
			return;
		}
		hide();
		// Else the browser's own tooltip covers this one.
		badge.removeAttribute( 'title' );
		tooltip = document.createElement( 'div' );
		tooltip.id = ID;
		tooltip.className = 'mw-revisionquality-tooltip';
		tooltip.setAttribute( 'role', 'tooltip' );
		shownFor = badge;
		document.body.appendChild( tooltip );
		fill( badge, [ paragraph( mw.msg( 'revisionquality-reasons-loading' ) ) ] );
		badge.setAttribute( 'aria-describedby', ID );
		// Who only passes over a list does not ask for all its rows.
		waiting = setTimeout( function () {
			ask( badge );
		}, ASK_AFTER_MS );
	}

	function badgeAt( target ) {
		return target.closest ? target.closest( BADGE ) : null;
	}

	function isInTooltip( target ) {
		return tooltip && target instanceof Node && tooltip.contains( target );
	}

	document.addEventListener( 'mouseover', function ( event ) {
		var badge = badgeAt( event.target );
		if ( badge ) {
			show( badge );
		} else if ( isInTooltip( event.target ) ) {
			clearTimeout( lingering );
		} else if ( tooltip && document.activeElement !== shownFor ) {
			clearTimeout( lingering );
			lingering = setTimeout( hide, LINGER_MS );
		}
	} );
	document.addEventListener( 'focusin', function ( event ) {
		var badge = badgeAt( event.target );
		if ( badge ) {
			show( badge );
		}
	} );
	document.addEventListener( 'focusout', hide );
	// Live updates put a new list in the place of the old one.
	mw.hook( 'wikipage.content' ).add( function () {
		if ( shownFor && !document.body.contains( shownFor ) ) {
			hide();
		}
	} );
	document.addEventListener( 'keydown', function ( event ) {
		if ( event.key === 'Escape' ) {
			hide();
		}
	} );
}() );
