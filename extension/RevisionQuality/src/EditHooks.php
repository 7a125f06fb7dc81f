<?php

namespace MediaWiki\Extension\RevisionQuality;

use Wikimedia\Rdbms\ILoadBalancer;

/**
 * What happens when an edit gets into recent changes.
 *
 * Handlers name no hook interface: core has moved interfaces and their classes between 1.39 and 1.45.
 */
class EditHooks {
	/** Edits and page creations, the only changes that get a score */
	public const SOURCES = [ 'mw.edit', 'mw.new' ];

	/** @var ILoadBalancer */
	private $loadBalancer;

	/** @var \JobQueueGroup */
	private $jobs;

	/** @var Service */
	private $service;

	/** @var EventPoster */
	private $poster;

	/**
	 * @param ILoadBalancer $loadBalancer
	 * @param \JobQueueGroup $jobs
	 * @param Service $service
	 * @param EventPoster $poster
	 */
	public function __construct( ILoadBalancer $loadBalancer, $jobs, Service $service, EventPoster $poster ) {
		$this->loadBalancer = $loadBalancer;
		$this->jobs = $jobs;
		$this->service = $service;
		$this->poster = $poster;
	}

	/**
	 * @param \RecentChange $change
	 */
	public function onRecentChange_save( $change ) {
		$revId = (int)$change->getAttribute( 'rc_this_oldid' );
		if ( !$revId || !in_array( $change->getAttribute( 'rc_source' ), self::SOURCES, true ) ) {
			return;
		}
		$this->addPending( $revId, $change->getAttribute( 'rc_timestamp' ) );
		if ( $this->service->isConfigured() ) {
			$this->post( $revId, (bool)$change->getAttribute( 'rc_bot' ) );
		}
	}

	/**
	 * Posts the edit once its author has the answer; by a job where revq does not take it at once.
	 *
	 * @param int $revId
	 * @param bool $isBot
	 */
	private function post( int $revId, bool $isBot ): void {
		$job = new \JobSpecification( PostEventJob::TYPE, [ 'revId' => $revId, 'isBot' => $isBot ] );
		if ( MW_ENTRY_POINT === 'cli' ) {
			// A script that makes many edits has no answer to send first.
			$this->jobs->lazyPush( $job );
			return;
		}
		\DeferredUpdates::addCallableUpdate( function () use ( $job, $revId, $isBot ) {
			if ( !$this->poster->postAtOnce( $revId, $isBot ) ) {
				$this->jobs->push( $job );
			}
		} );
	}

	/**
	 * Shows the edit as not scored yet, unless revq was faster.
	 *
	 * @param int $revId
	 * @param string $timestamp
	 */
	private function addPending( int $revId, string $timestamp ): void {
		$dbw = $this->loadBalancer->getConnection( DB_PRIMARY );
		$time = $dbw->timestamp( $timestamp );
		$dbw->insert(
			'revision_quality',
			[ 'rq_rev' => $revId, 'rq_timestamp' => $time, 'rq_state' => Scores::PENDING ],
			__METHOD__,
			[ 'IGNORE' ]
		);
		if ( $dbw->affectedRows() ) {
			$flags = [];
			foreach ( Levels::unscoredNumbers() as $number ) {
				$flags[] = [ 'rqf_level' => $number, 'rqf_timestamp' => $time, 'rqf_rev' => $revId ];
			}
			$dbw->insert( 'revision_quality_flag', $flags, __METHOD__, [ 'IGNORE' ] );
		}
	}
}
