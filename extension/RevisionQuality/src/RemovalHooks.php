<?php

namespace MediaWiki\Extension\RevisionQuality;

use MediaWiki\Revision\RevisionRecord;
use Wikimedia\Rdbms\ILoadBalancer;

/**
 * What happens when an edit leaves recent changes, or is hidden: its score goes at once, whether
 * revq runs or not.
 */
class RemovalHooks {
	/** @var ILoadBalancer */
	private $loadBalancer;

	/**
	 * @param ILoadBalancer $loadBalancer
	 */
	public function __construct( ILoadBalancer $loadBalancer ) {
		$this->loadBalancer = $loadBalancer;
	}

	/**
	 * @param \stdClass[] $rows Rows of recentchanges that are gone
	 */
	public function onRecentChangesPurgeRows( $rows ) {
		$revIds = [];
		foreach ( $rows as $row ) {
			if ( in_array( $row->rc_source, EditHooks::SOURCES, true ) ) {
				$revIds[] = (int)$row->rc_this_oldid;
			}
		}
		$this->remove( $revIds );
	}

	/**
	 * @param \Title $title
	 * @param int[] $ids
	 * @param array[] $visibilityChangeMap oldBits and newBits by revision
	 */
	public function onArticleRevisionVisibilitySet( $title, $ids, $visibilityChangeMap ) {
		$this->remove( array_keys( array_filter(
			$visibilityChangeMap,
			static function ( $change ) {
				return (bool)( $change['newBits'] & RevisionRecord::DELETED_TEXT );
			}
		) ) );
	}

	/**
	 * @param \MediaWiki\Page\ProperPageIdentity $page
	 * @param \MediaWiki\Permissions\Authority $deleter
	 * @param string $reason
	 * @param int $pageID
	 */
	public function onPageDeleteComplete( $page, $deleter, $reason, $pageID ) {
		$this->remove( $this->loadBalancer->getConnection( DB_PRIMARY )->newSelectQueryBuilder()
			->select( 'rq_rev' )
			->distinct()
			->from( 'archive' )
			->join( 'revision_quality', null, 'rq_rev = ar_rev_id' )
			->where( [
				'ar_namespace' => $page->getNamespace(),
				'ar_title' => $page->getDBkey(),
				'ar_page_id' => $pageID,
			] )
			->caller( __METHOD__ )
			->fetchFieldValues() );
	}

	/**
	 * @param array $revIds
	 */
	private function remove( array $revIds ): void {
		if ( $revIds ) {
			$dbw = $this->loadBalancer->getConnection( DB_PRIMARY );
			$dbw->delete( 'revision_quality_flag', [ 'rqf_rev' => $revIds ], __METHOD__ );
			$dbw->delete( 'revision_quality', [ 'rq_rev' => $revIds ], __METHOD__ );
		}
	}
}
