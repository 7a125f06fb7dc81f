<?php

namespace MediaWiki\Extension\RevisionQuality;

use ChangesListBooleanFilterGroup;
use ChangesListStringOptionsFilterGroup;
use Html;

/**
 * The filters of recent changes, of the watchlist and of related changes.
 */
class FilterHooks {
	/** Group and URL parameter */
	public const GROUP = 'revisionquality';

	/** Parameter of pages without JavaScript that have no place for a list of levels */
	private const HIDE = 'hideunlikelyreverted';

	/** Core's filters of logged actions; later releases have one of account creations */
	private const OF_LOGS = [ 'hidelog', 'hidenewuserlog' ];

	/** Priority of the group among core's: after those of who edits */
	private const PRIORITY = 1;

	/** @var Levels */
	private $levels;

	/**
	 * @param Levels $levels
	 */
	public function __construct( Levels $levels ) {
		$this->levels = $levels;
	}

	/**
	 * @param \ChangesListSpecialPage $special
	 */
	public function onChangesListSpecialPageStructuredFilters( $special ) {
		$names = $this->levels->filterNames();
		if ( !$names ) {
			return;
		}
		$special->getOutput()->addModuleStyles( 'ext.revisionQuality.styles' );
		$special->getOutput()->addModules( 'ext.revisionQuality' );
		$group = new ChangesListStringOptionsFilterGroup( [
			'name' => self::GROUP,
			'title' => 'revisionquality-filters-title',
			'whatsThisHeader' => 'revisionquality-filters-whats-this-header',
			'whatsThisBody' => 'revisionquality-filters-whats-this-body',
			// Core wants both; without an address it shows no link.
			'whatsThisUrl' => '',
			'whatsThisLinkText' => 'revisionquality-filters-whats-this-header',
			'priority' => self::PRIORITY,
			'isFullCoverage' => false,
			'default' => ChangesListStringOptionsFilterGroup::NONE,
			'filters' => array_map( [ $this, 'filter' ], $names ),
			// The page's query hook does it, for the page without structured filters as well.
			'queryCallable' => static function () {
			},
		] );
		$this->nest( $group );
		$this->setConflicts( $group, $special );
		$special->registerFilterGroup( $group );
		if ( $special->getName() !== 'Recentchanges' && $this->hidingNumber() !== null ) {
			$special->registerFilterGroup( $this->plainGroup() );
		}
	}

	/**
	 * @param string $name Special page
	 * @param array &$tables
	 * @param array &$fields
	 * @param array &$conds
	 * @param array &$query_options
	 * @param array &$join_conds
	 * @param \FormOptions $opts
	 */
	public function onChangesListSpecialPageQuery(
		$name, &$tables, &$fields, &$conds, &$query_options, &$join_conds, $opts
	) {
		$tables[] = 'revision_quality';
		array_push( $fields, 'rq_state', 'rq_score' );
		$join_conds['revision_quality'] = [ 'LEFT JOIN', 'rq_rev = rc_this_oldid' ];
		$numbers = $this->chosen( $opts );
		if ( !$numbers ) {
			return;
		}
		$walksFlags = $name === 'Recentchanges' && !in_array( 'DISTINCT', $query_options, true );
		$this->levels->query( $numbers )->apply( $tables, $conds, $query_options, $join_conds, $walksFlags );
	}

	/**
	 * Adds the levels to the form of the page without JavaScript.
	 *
	 * @param string[][] &$extraOpts
	 * @param \FormOptions $opts
	 */
	public function onSpecialRecentChangesPanel( &$extraOpts, $opts ) {
		$names = $this->levels->filterNames();
		if ( !$names ) {
			return;
		}
		$opts->consumeValue( self::GROUP );
		$current = (string)$opts[self::GROUP];
		$options = Html::element(
			'option', [ 'value' => '' ], wfMessage( 'revisionquality-filters-any' )->text()
		);
		foreach ( $names as $name ) {
			$options .= Html::element(
				'option',
				[ 'value' => $name, 'selected' => $name === $current ],
				wfMessage( "revisionquality-level-$name" )->text()
			);
		}
		if ( $current !== '' && !in_array( $current, $names, true ) ) {
			$options .= Html::element( 'option', [ 'value' => $current, 'selected' => true ], $current );
		}
		// Above the row of tags, so that the button stays with the last row.
		$extraOpts = [ self::GROUP => [
			Html::element(
				'label', [ 'for' => self::GROUP ], wfMessage( 'revisionquality-filters-title' )->text()
			),
			Html::rawElement( 'select', [ 'name' => self::GROUP, 'id' => self::GROUP ], $options ),
		] ] + $extraOpts;
	}

	/**
	 * Gives the filters' descriptions their numbers: core sends messages without parameters.
	 *
	 * @param \OutputPage $out
	 */
	public function onBeforePageDisplay( $out ) {
		$variable = 'wgStructuredChangeFiltersMessages';
		$messages = $out->getJsConfigVars()[$variable] ?? null;
		if ( !is_array( $messages ) ) {
			return;
		}
		$description = new LevelDescription( $out );
		foreach ( $this->levels->all() as $name => $level ) {
			$messages["revisionquality-level-$name-desc"] = $description->of( $level );
		}
		$out->addJsConfigVars( $variable, $messages );
	}

	/**
	 * @param string $name
	 * @return array
	 */
	private function filter( string $name ): array {
		return [
			'name' => $name,
			'label' => "revisionquality-level-$name",
			'description' => "revisionquality-level-$name-desc",
			'cssClassSuffix' => self::GROUP . "-$name",
			'isRowApplicableCallable' => function ( $context, $change ) use ( $name ) {
				return $this->isRowOf( $name, $change );
			},
		];
	}

	/**
	 * @param string $name
	 * @param \RecentChange $change
	 * @return bool
	 */
	private function isRowOf( string $name, $change ): bool {
		$state = $change->getAttribute( 'rq_state' );
		if ( $state === null ) {
			return false;
		}
		if ( $name === Levels::UNSCORED ) {
			return in_array( (int)$state, [ Scores::PENDING, Scores::FAILED ], true );
		}
		return (int)$state === Scores::SCORED &&
			$this->levels->all()[$name]->holds( (float)$change->getAttribute( 'rq_score' ) );
	}

	/**
	 * @param ChangesListStringOptionsFilterGroup $group
	 */
	private function nest( $group ): void {
		$filters = array_values( array_filter( array_map( [ $group, 'getFilter' ], Levels::NESTED ) ) );
		foreach ( $filters as $place => $filter ) {
			foreach ( array_slice( $filters, $place + 1 ) as $graver ) {
				$filter->setAsSupersetOf( $graver );
			}
		}
	}

	/**
	 * @param ChangesListStringOptionsFilterGroup $group
	 * @param \ChangesListSpecialPage $special
	 */
	private function setConflicts( $group, $special ): void {
		$changeType = $special->getFilterGroup( 'changeType' );
		foreach ( self::OF_LOGS as $name ) {
			$logs = $changeType ? $changeType->getFilter( $name ) : null;
			if ( $logs ) {
				$group->conflictsWith(
					$logs,
					'revisionquality-filters-conflicts-logactions-global',
					'revisionquality-filters-conflicts-logactions',
					'revisionquality-filters-logactions-conflicts'
				);
			}
		}
	}

	/**
	 * @return ChangesListBooleanFilterGroup
	 */
	private function plainGroup() {
		return new ChangesListBooleanFilterGroup( [
			'name' => 'revisionqualityplain',
			'priority' => self::PRIORITY,
			'filters' => [ [
				'name' => self::HIDE,
				'showHide' => 'revisionquality-hide-unlikely',
				'default' => false,
				'isReplacedInStructuredUi' => true,
				'queryCallable' => static function () {
				},
			] ],
		] );
	}

	/**
	 * @param \FormOptions $opts
	 * @return int[]
	 */
	private function chosen( $opts ): array {
		$value = $opts->validateName( self::GROUP ) ? (string)$opts[self::GROUP] : '';
		$numbers = $this->levels->numbersOf( $value );
		if ( !$numbers && $opts->validateName( self::HIDE ) && $opts[self::HIDE] ) {
			return array_filter( [ $this->hidingNumber() ] );
		}
		return $numbers;
	}

	/**
	 * @return int|null Level of the edits that HIDE leaves: "likely", or the one that this wiki has
	 */
	private function hidingNumber(): ?int {
		foreach ( [ 'likelybad', 'verylikelybad', 'maybebad' ] as $name ) {
			if ( isset( $this->levels->all()[$name] ) ) {
				return Levels::NUMBERS[$name];
			}
		}
		return null;
	}
}
