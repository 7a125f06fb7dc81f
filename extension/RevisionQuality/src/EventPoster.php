<?php

namespace MediaWiki\Extension\RevisionQuality;

use MediaWiki\Revision\RevisionLookup;

/**
 * Posts the event page_change of an edit to revq.
 */
class EventPoster {
	/** For so long nothing is posted at once after revq was not there; the jobs still try */
	private const AWAY_SECONDS = 30;

	/** @var RevisionLookup */
	private $revisionLookup;

	/** @var \TitleFactory */
	private $titleFactory;

	/** @var PageChangeBuilder */
	private $builder;

	/** @var Service */
	private $service;

	/** @var \BagOStuff */
	private $cache;

	/** @var bool */
	private $postsAtOnce;

	/**
	 * @param RevisionLookup $revisionLookup
	 * @param \MediaWiki\Title\TitleFactory|\TitleFactory $titleFactory
	 * @param PageChangeBuilder $builder
	 * @param Service $service
	 * @param \Wikimedia\ObjectCache\BagOStuff|\BagOStuff $cache This server's
	 * @param bool $postsAtOnce False where all is left to the jobs
	 */
	public function __construct(
		RevisionLookup $revisionLookup,
		$titleFactory,
		PageChangeBuilder $builder,
		Service $service,
		$cache,
		bool $postsAtOnce
	) {
		$this->revisionLookup = $revisionLookup;
		$this->titleFactory = $titleFactory;
		$this->builder = $builder;
		$this->service = $service;
		$this->cache = $cache;
		$this->postsAtOnce = $postsAtOnce;
	}

	/**
	 * Posts with the patience of a job.
	 *
	 * @param int $revId
	 * @param bool $isBot Whether the edit is flagged as a bot's
	 * @return string|null Why it has to be sent again, null if it need not
	 */
	public function post( int $revId, bool $isBot ): ?string {
		$event = $this->event( $revId, $isBot );
		return $event === null ? null : $this->service->post( $event );
	}

	/**
	 * Posts with the patience of a web server's process, unless revq was away a moment ago.
	 *
	 * @param int $revId
	 * @param bool $isBot Whether the edit is flagged as a bot's
	 * @return bool Whether it need not be sent again
	 */
	public function postAtOnce( int $revId, bool $isBot ): bool {
		if ( !$this->postsAtOnce ) {
			return false;
		}
		$away = $this->cache->makeKey( 'revisionquality', 'away' );
		if ( $this->cache->get( $away ) ) {
			return false;
		}
		$event = $this->event( $revId, $isBot );
		if ( $event === null || $this->service->postAtOnce( $event ) === null ) {
			return true;
		}
		$this->cache->set( $away, 1, self::AWAY_SECONDS );
		return false;
	}

	/**
	 * @param int $revId
	 * @param bool $isBot
	 * @return array|null Null where the revision is gone
	 */
	private function event( int $revId, bool $isBot ): ?array {
		$revision = $this->revisionLookup->getRevisionById( $revId, \IDBAccessObject::READ_LATEST );
		if ( !$revision ) {
			return null;
		}
		$title = $this->titleFactory->newFromLinkTarget( $revision->getPageAsLinkTarget() );
		return $this->builder->build( $revision, Wiki::id(), $title->getCanonicalURL(), $isBot );
	}
}
