<?php

use MediaWiki\Extension\RevisionQuality\EventPoster;
use MediaWiki\Extension\RevisionQuality\Levels;
use MediaWiki\Extension\RevisionQuality\PageChangeBuilder;
use MediaWiki\Extension\RevisionQuality\Scores;
use MediaWiki\Extension\RevisionQuality\Service;
use MediaWiki\MediaWikiServices;

return [
	'RevisionQuality.EventPoster' => static function ( MediaWikiServices $services ): EventPoster {
		return new EventPoster(
			$services->getRevisionLookup(),
			$services->getTitleFactory(),
			$services->getService( 'RevisionQuality.PageChangeBuilder' ),
			$services->getService( 'RevisionQuality.Service' ),
			$services->getLocalServerObjectCache(),
			$services->getMainConfig()->get( 'RevisionQualityPostsAtOnce' )
		);
	},
	'RevisionQuality.Levels' => static function ( MediaWikiServices $services ): Levels {
		return new Levels( $services->getDBLoadBalancer() );
	},
	'RevisionQuality.PageChangeBuilder' => static function ( MediaWikiServices $services ): PageChangeBuilder {
		return new PageChangeBuilder(
			$services->getRevisionLookup(),
			$services->getTitleFormatter(),
			$services->getUserFactory(),
			$services->getUserGroupManager()
		);
	},
	'RevisionQuality.Scores' => static function ( MediaWikiServices $services ): Scores {
		return new Scores( $services->getDBLoadBalancer() );
	},
	'RevisionQuality.Service' => static function ( MediaWikiServices $services ): Service {
		return new Service(
			$services->getHttpRequestFactory(),
			$services->getMainConfig()->get( 'RevisionQualityServiceUrl' )
		);
	},
];
