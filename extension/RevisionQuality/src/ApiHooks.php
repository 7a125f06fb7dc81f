<?php

namespace MediaWiki\Extension\RevisionQuality;

use ApiBase;
use ApiResult;
use Wikimedia\ParamValidator\ParamValidator;

/**
 * Scores in the API's lists of edits, and recent changes and the watchlist by level.
 */
class ApiHooks implements \WatchedItemQueryServiceExtension {
	private const PROP = 'revisionquality';
	private const OPTION = 'revisionQualityLevels';

	/** Modules with a property, and where the module's rows have the revision */
	private const MODULES = [
		'ApiQueryRecentChanges' => 'rc_this_oldid',
		'ApiQueryWatchlist' => 'rc_this_oldid',
		'ApiQueryUserContribs' => 'rev_id',
		'ApiQueryRevisions' => 'rev_id',
		'ApiQueryAllRevisions' => 'rev_id',
	];

	/** @var Levels */
	private $levels;

	/** @var Scores */
	private $scores;

	/**
	 * @param Levels $levels
	 * @param Scores $scores
	 */
	public function __construct( Levels $levels, Scores $scores ) {
		$this->levels = $levels;
		$this->scores = $scores;
	}

	/**
	 * @param ApiBase $module
	 * @param array &$params
	 */
	public function onAPIGetAllowedParams( $module, &$params ) {
		$name = self::nameOf( $module );
		if ( !isset( self::MODULES[$name] ) ) {
			return;
		}
		$params['prop'][ParamValidator::PARAM_TYPE][] = self::PROP;
		$params['prop'][ApiBase::PARAM_HELP_MSG_PER_VALUE][self::PROP] = 'apihelp-revisionquality-param-prop';
		$params += [ 'show' => [
			ParamValidator::PARAM_ISMULTI => true,
			ParamValidator::PARAM_TYPE => [],
			ApiBase::PARAM_HELP_MSG => 'apihelp-revisionquality-param-show',
		] ];
		foreach ( array_keys( Levels::NUMBERS ) as $level ) {
			$params['show'][ParamValidator::PARAM_TYPE][] = self::PROP . "-$level";
			// Help by value would say of core's values that they have no description.
			$params['show'][ApiBase::PARAM_HELP_MSG_APPEND][] = "apihelp-revisionquality-param-show-$level";
		}
	}

	/**
	 * @param \ApiQueryBase $module
	 * @param array &$tables
	 * @param array &$fields
	 * @param array &$conds
	 * @param array &$query_options
	 * @param array &$join_conds
	 * @param array &$hookData
	 */
	public function onApiQueryBaseBeforeQuery(
		$module, &$tables, &$fields, &$conds, &$query_options, &$join_conds, &$hookData
	) {
		$name = self::nameOf( $module );
		if ( !isset( self::MODULES[$name] ) ) {
			return;
		}
		$params = $module->extractRequestParams();
		$numbers = $this->shown( $params );
		$isOfRecentChanges = self::MODULES[$name] === 'rc_this_oldid';
		if ( $numbers ) {
			$this->levels->query( $numbers )->applyToList( $tables, $conds, $join_conds, $isOfRecentChanges );
		}
		if ( $this->isAsked( $params ) ) {
			$hookData[self::PROP] = [];
			if ( $isOfRecentChanges ) {
				$fields[] = 'rc_this_oldid';
			}
		}
	}

	/**
	 * @param \ApiQueryBase $module
	 * @param \Wikimedia\Rdbms\IResultWrapper|bool $result
	 * @param array &$hookData
	 */
	public function onApiQueryBaseAfterQuery( $module, $result, &$hookData ) {
		if ( !isset( $hookData[self::PROP] ) || !$result ) {
			return;
		}
		$field = self::MODULES[self::nameOf( $module )];
		$revIds = [];
		foreach ( $result as $row ) {
			if ( !empty( $row->$field ) ) {
				$revIds[] = (int)$row->$field;
			}
		}
		$result->rewind();
		$hookData[self::PROP] = $this->scores->of( $revIds );
	}

	/**
	 * @param \ApiQueryBase $module
	 * @param \stdClass $row
	 * @param array &$data
	 * @param array &$hookData
	 */
	public function onApiQueryBaseProcessRow( $module, $row, &$data, &$hookData ) {
		if ( isset( $hookData[self::PROP] ) ) {
			$revId = (int)( $row->{self::MODULES[self::nameOf( $module )]} ?? 0 );
			$data[self::PROP] = $this->told( $hookData[self::PROP][$revId] ?? null );
		}
	}

	/**
	 * @param \WatchedItemQueryServiceExtension[] &$extensions
	 */
	public function onWatchedItemQueryServiceExtensions( &$extensions ) {
		$extensions[] = $this;
	}

	/**
	 * @param \ApiQueryBase $module
	 * @param array $params
	 * @param array &$options
	 */
	public function onApiQueryWatchlistPrepareWatchedItemQueryServiceOptions( $module, $params, &$options ) {
		$options[self::OPTION] = $this->shown( $params );
		$options[self::PROP] = $this->isAsked( $params );
	}

	/**
	 * @inheritDoc
	 */
	public function modifyWatchedItemsWithRCInfoQuery(
		$user, array $options, $db, array &$tables, array &$fields,
		array &$conds, array &$dbOptions, array &$joinConds
	) {
		if ( $options[self::OPTION] ?? null ) {
			$this->levels->query( $options[self::OPTION] )->apply( $tables, $conds, $dbOptions, $joinConds, false );
		}
		if ( $options[self::PROP] ?? false ) {
			$tables[] = 'revision_quality';
			$tables[] = 'revision_quality_model';
			array_push( $fields, 'rq_state', 'rq_score', 'rqm_name', 'rqm_version' );
			$joinConds['revision_quality'] = [ 'LEFT JOIN', 'rq_rev = rc_this_oldid' ];
			$joinConds['revision_quality_model'] = [ 'LEFT JOIN', 'rqm_id = rq_model' ];
		}
	}

	/**
	 * @inheritDoc
	 */
	public function modifyWatchedItemsWithRCInfo( $user, array $options, $db, array &$items, $res, &$startFrom ) {
		if ( !( $options[self::PROP] ?? false ) ) {
			return;
		}
		// Core has made the items of the result's first rows, in their order, without our fields.
		foreach ( $items as $place => &$item ) {
			$res->seek( $place );
			$item[1][self::PROP] = $this->told( $res->fetchObject() );
		}
	}

	/**
	 * @param \ApiQueryBase $module
	 * @param \WatchedItem $watchedItem
	 * @param array $recentChangeInfo
	 * @param array &$vals
	 */
	public function onApiQueryWatchlistExtractOutputData( $module, $watchedItem, $recentChangeInfo, &$vals ) {
		if ( isset( $recentChangeInfo[self::PROP] ) ) {
			$vals[self::PROP] = $recentChangeInfo[self::PROP];
		}
	}

	/**
	 * @param array $params
	 * @return int[] Flags that are asked for; no edit has one of a level that the wiki does not have
	 */
	private function shown( array $params ): array {
		$numbers = [];
		foreach ( Levels::NUMBERS as $name => $number ) {
			if ( in_array( self::PROP . "-$name", $params['show'] ?? [], true ) ) {
				$numbers[$name] = $number;
			}
		}
		return $this->levels->numbersOfAny( array_keys( $numbers ) ) ?: array_values( array_slice( $numbers, 0, 1 ) );
	}

	/**
	 * @param array $params
	 * @return bool
	 */
	private function isAsked( array $params ): bool {
		return in_array( self::PROP, $params['prop'] ?? [], true );
	}

	/**
	 * @param \stdClass|null $row
	 * @return array Empty where nothing is known of the edit
	 */
	private function told( $row ): array {
		// Else a list in JSON, where an edit has an object.
		$told = [ ApiResult::META_TYPE => 'assoc' ];
		if ( !$row || $row->rq_state === null ) {
			return $told;
		}
		$told += [ 'state' => Scores::STATES[(int)$row->rq_state] ];
		if ( (int)$row->rq_state === Scores::SCORED ) {
			$level = $this->levels->of( (float)$row->rq_score );
			$told += [
				'score' => (float)$row->rq_score,
				'level' => $level ? $level->name : null,
				'model' => $row->rqm_name,
				'version' => $row->rqm_version,
			];
		}
		return $told;
	}

	/**
	 * @param ApiBase $module
	 * @return string Its class without the namespace that later releases have put it into
	 */
	private static function nameOf( $module ): string {
		$parts = explode( '\\', get_class( $module ) );
		return end( $parts );
	}
}
