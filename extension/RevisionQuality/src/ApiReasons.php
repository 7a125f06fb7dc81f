<?php

namespace MediaWiki\Extension\RevisionQuality;

use ApiBase;
use ApiMain;
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

	/** @var Scores */
	private $scores;

	/** @var Service */
	private $service;

	/** @var RevisionLookup */
	private $revisionLookup;

	/** @var WANObjectCache */
	private $cache;

	/**
	 * @param ApiMain $main
	 * @param string $action
	 * @param Scores $scores
	 * @param Service $service
	 * @param RevisionLookup $revisionLookup
	 * @param WANObjectCache $cache
	 */
	public function __construct( $main, $action, Scores $scores, Service $service, $revisionLookup, $cache ) {
		parent::__construct( $main, $action );
		$this->scores = $scores;
		$this->service = $service;
		$this->revisionLookup = $revisionLookup;
		$this->cache = $cache;
	}

	public function execute() {
		$revId = $this->extractRequestParams()['revid'];
		$revision = $this->revisionLookup->getRevisionById( $revId );
		if ( !$revision ) {
			$this->dieWithError( [ 'apierror-nosuchrevid', $revId ] );
		}
		if ( !$revision->userCan( RevisionRecord::DELETED_TEXT, $this->getAuthority() ) ) {
			$this->dieWithError( 'apierror-permissiondenied-generic', 'permissiondenied' );
		}
		$row = $this->scores->of( [ $revId ] )[$revId] ?? null;
		$isScored = $row && (int)$row->rq_state === Scores::SCORED;
		$reasons = $isScored && $this->service->isConfigured() ? $this->reasons( $revId ) : [];
		$this->getResult()->addValue( null, $this->getModuleName(), [
			'revid' => $revId,
			'reasons' => ( new Reasons( $this->getContext() ) )->of( $reasons ),
		] );
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
	 * @param int $revId
	 * @return array[]
	 */
	private function reasons( int $revId ): array {
		return $this->cache->getWithSetCallback(
			$this->cache->makeKey( 'revisionquality-reasons', 2, $revId ),
			self::KEPT,
			function ( $old, &$ttl ) use ( $revId ) {
				$reasons = $this->service->reasons( Wiki::id(), $revId );
				if ( !$reasons ) {
					$ttl = self::NOT_ASKED_FOR;
				}
				return $reasons ?? [];
			}
		);
	}
}
