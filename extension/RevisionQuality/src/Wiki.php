<?php

namespace MediaWiki\Extension\RevisionQuality;

/**
 * This wiki.
 */
class Wiki {
	/**
	 * @return string Its id, as meta=siteinfo tells it
	 */
	public static function id(): string {
		// MediaWiki 1.40 moved the class.
		$map = class_exists( 'MediaWiki\WikiMap\WikiMap' ) ? 'MediaWiki\WikiMap\WikiMap' : 'WikiMap';
		return $map::getCurrentWikiId();
	}
}
