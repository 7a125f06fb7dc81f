<?php

namespace MediaWiki\Extension\RevisionQuality;

use ApiBase;
use ApiMain;
use ApiResult;
use MediaWiki\Languages\LanguageFallback;
use MediaWiki\Revision\RevisionLookup;
use MediaWiki\Revision\RevisionRecord;
use WANObjectCache;
use Wikimedia\ParamValidator\ParamValidator;

/**
 * Why a score is what it is: asks revq, which the browser may not reach.
 */
class ApiReasons extends ApiBase {
	/** How long an answer is kept, and how long it is remembered that there was none, in seconds */
	private const KEPT = 86400;
	private const NOT_ASKED_FOR = 30;

	/** What a reason may tell of */
	private const PARTS = [
		RevisionRecord::DELETED_TEXT,
		RevisionRecord::DELETED_COMMENT,
		RevisionRecord::DELETED_USER,
	];

	/** @var Scores */
	private $scores;

	/** @var Service */
	private $service;

	/** @var RevisionLookup */
	private $revisionLookup;

	/** @var WANObjectCache */
	private $cache;

	/** @var LanguageFallback */
	private $fallback;

	/**
	 * @param ApiMain $main
	 * @param string $action
	 * @param Scores $scores
	 * @param Service $service
	 * @param RevisionLookup $revisionLookup
	 * @param WANObjectCache $cache
	 * @param LanguageFallback $fallback
	 */
	public function __construct(
		$main, $action, Scores $scores, Service $service, $revisionLookup, $cache, $fallback
	) {
		parent::__construct( $main, $action );
		$this->scores = $scores;
		$this->service = $service;
		$this->revisionLookup = $revisionLookup;
		$this->cache = $cache;
		$this->fallback = $fallback;
	}

	public function execute() {
		$revId = $this->extractRequestParams()['revid'];
		$revision = $this->revisionLookup->getRevisionById( $revId );
		if ( !$revision ) {
			$this->dieWithError( [ 'apierror-nosuchrevid', $revId ] );
		}
		if ( !$this->mayRead( $revision ) ) {
			$this->dieWithError( 'apierror-permissiondenied-generic', 'permissiondenied' );
		}
		$row = $this->scores->of( [ $revId ] )[$revId] ?? null;
		$isScored = $row && (int)$row->rq_state === Scores::SCORED;
		$reasons = $isScored && $this->service->isConfigured()
			? $this->reasons( $revId, "{$row->rqm_name} {$row->rqm_version}" )
			: [];
		$told = ( new Reasons( $this->getContext(), $this->fallback ) )->of( $reasons );
		ApiResult::setIndexedTagName( $told, 'reason' );
		$this->getResult()->addValue( null, $this->getModuleName(), [ 'revid' => $revId, 'reasons' => $told ] );
	}

	/**
	 * @inheritDoc
	 */
	public function getAllowedParams() {
		return [ 'revid' => [
			ParamValidator::PARAM_TYPE => 'integer',
			ParamValidator::PARAM_REQUIRED => true,
		] ];
	}

	/**
	 * @inheritDoc
	 */
	protected function getExamplesMessages() {
		return [ 'action=revisionqualityreasons&revid=123' => 'apihelp-revisionqualityreasons-example-1' ];
	}

	/**
	 * @param RevisionRecord $revision
	 * @return bool
	 */
	private function mayRead( $revision ): bool {
		foreach ( self::PARTS as $part ) {
			if ( !$revision->userCan( $part, $this->getAuthority() ) ) {
				return false;
			}
		}
		return $this->getAuthority()->authorizeRead( 'read', $revision->getPage() );
	}

	/**
	 * @param int $revId
	 * @param string $model Name and version of the one that the score is of
	 * @return array[]
	 */
	private function reasons( int $revId, string $model ): array {
		return $this->cache->getWithSetCallback(
			$this->cache->makeKey( 'revisionquality-reasons', 3, $revId, $model ),
			self::KEPT,
			function ( $old, &$ttl ) use ( $revId ) {
				$reasons = $this->ask( $revId );
				if ( !$reasons ) {
					$ttl = self::NOT_ASKED_FOR;
				}
				return $reasons;
			}
		);
	}

	/**
	 * Asks nothing for a while after an answer that did not come: each reader would wait for it.
	 *
	 * @param int $revId
	 * @return array[]
	 */
	private function ask( int $revId ): array {
		$away = $this->cache->makeKey( 'revisionquality', 'reasonsaway' );
		if ( $this->cache->get( $away ) ) {
			return [];
		}
		$reasons = $this->service->reasons( Wiki::id(), $revId );
		if ( $reasons === null ) {
			$this->cache->set( $away, 1, self::NOT_ASKED_FOR );
		}
		return $reasons ?? [];
	}
}
