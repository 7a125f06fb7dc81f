<?php

namespace MediaWiki\Extension\RevisionQuality;

use MediaWiki\MediaWikiServices;

/**
 * Tells revq of an edit. The job queue tries again where revq does not take it.
 */
class PostEventJob extends \Job implements \GenericParameterJob {
	public const TYPE = 'revisionQualityPostEvent';

	/**
	 * @param array $params revId, and isBot: whether the edit is flagged as a bot's
	 */
	public function __construct( array $params ) {
		parent::__construct( self::TYPE, $params );
	}

	/**
	 * @return bool
	 */
	public function run() {
		$services = MediaWikiServices::getInstance();
		if ( !$services->getService( 'RevisionQuality.Service' )->isConfigured() ) {
			return true;
		}
		$problem = $services->getService( 'RevisionQuality.EventPoster' )
			->post( $this->params['revId'], $this->params['isBot'] );
		if ( $problem !== null ) {
			$this->setLastError( $problem );
			return false;
		}
		return true;
	}
}
