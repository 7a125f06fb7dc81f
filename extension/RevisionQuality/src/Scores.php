<?php

namespace MediaWiki\Extension\RevisionQuality;

use Wikimedia\Rdbms\ILoadBalancer;

/**
 * Reads what became of edits.
 */
class Scores {
	public const PENDING = 0;
	public const SCORED = 1;
	public const NOT_SCORABLE = 2;
	public const FAILED = 3;

	/** Names in the API, the same as those of revq's own */
	public const STATES = [
		self::PENDING => 'pending',
		self::SCORED => 'scored',
		self::NOT_SCORABLE => 'not_scorable',
		self::FAILED => 'failed',
	];

	/** @var ILoadBalancer */
	private $loadBalancer;

	/**
	 * @param ILoadBalancer $loadBalancer
	 */
	public function __construct( ILoadBalancer $loadBalancer ) {
		$this->loadBalancer = $loadBalancer;
	}

	/**
	 * @param int[] $revIds
	 * @return \stdClass[] Rows of revision_quality with their models, by revision
	 */
	public function of( array $revIds ): array {
		if ( !$revIds ) {
			return [];
		}
		$rows = $this->loadBalancer->getConnection( DB_REPLICA )->newSelectQueryBuilder()
			->select( [ 'rq_rev', 'rq_state', 'rq_score', 'rqm_name', 'rqm_version' ] )
			->from( 'revision_quality' )
			->leftJoin( 'revision_quality_model', null, 'rqm_id = rq_model' )
			->where( [ 'rq_rev' => $revIds ] )
			->caller( __METHOD__ )
			->fetchResultSet();
		$found = [];
		foreach ( $rows as $row ) {
			$found[(int)$row->rq_rev] = $row;
		}
		return $found;
	}
}
