<?php

namespace MediaWiki\Extension\RevisionQuality;

use Html;
use MediaWiki\User\UserOptionsLookup;

/**
 * The dot and the number on a row of recent changes, of the watchlist and of related changes.
 */
class RowHooks {
	private const PREFERENCE = 'revisionquality-show';

	/** Shapes that tell the levels apart without colours */
	private const SHAPES = [
		'' => '○',
		Level::GOOD => '○',
		'maybebad' => '◔',
		'likelybad' => '◑',
		'verylikelybad' => '●',
	];

	/** @var Levels */
	private $levels;

	/** @var UserOptionsLookup */
	private $options;

	/**
	 * @param Levels $levels
	 * @param UserOptionsLookup $options
	 */
	public function __construct( Levels $levels, $options ) {
		$this->levels = $levels;
		$this->options = $options;
	}

	/**
	 * @param \ChangesList $changesList
	 * @param string &$s
	 * @param \RecentChange $rc
	 */
	public function onOldChangesListRecentChangesLine( $changesList, &$s, $rc ) {
		$badge = $this->badge( $changesList, $rc );
		if ( $badge !== '' ) {
			$s .= " $badge";
		}
	}

	/**
	 * @param \EnhancedChangesList $changesList
	 * @param array &$data
	 * @param \RecentChange[] $block
	 * @param \RecentChange $rc
	 */
	public function onEnhancedChangesListModifyLineData( $changesList, &$data, $block, $rc ) {
		$this->add( $changesList, $data, $rc );
	}

	/**
	 * @param \EnhancedChangesList $changesList
	 * @param array &$data
	 * @param \RecentChange $rc
	 */
	public function onEnhancedChangesListModifyBlockLineData( $changesList, &$data, $rc ) {
		$this->add( $changesList, $data, $rc );
	}

	/**
	 * @param \User $user
	 * @param array[] &$preferences
	 */
	public function onGetPreferences( $user, &$preferences ) {
		$preferences[self::PREFERENCE] = [
			'type' => 'toggle',
			'label-message' => 'revisionquality-preference-show',
			'section' => 'rc/displayrc',
		];
	}

	/**
	 * @param \EnhancedChangesList $changesList
	 * @param array &$data
	 * @param \RecentChange $rc
	 */
	private function add( $changesList, array &$data, $rc ): void {
		$badge = $this->badge( $changesList, $rc );
		if ( $badge !== '' ) {
			$data['revisionquality'] = " $badge";
		}
	}

	/**
	 * @param \ChangesList $context
	 * @param \RecentChange $rc
	 * @return string HTML, empty where there is nothing to show
	 */
	private function badge( $context, $rc ): string {
		$state = $rc->getAttribute( 'rq_state' );
		if ( $state === null || (int)$state === Scores::NOT_SCORABLE ||
			!$this->options->getBoolOption( $context->getUser(), self::PREFERENCE )
		) {
			return '';
		}
		return (int)$state === Scores::SCORED
			? $this->scored( $context, $rc->getAttribute( 'rc_this_oldid' ), (float)$rc->getAttribute( 'rq_score' ) )
			: $this->element( $context->msg( 'revisionquality-badge-unscored' )->text(), 'unscored', '…', '' );
	}

	/**
	 * @param \ChangesList $context
	 * @param string|int $revId
	 * @param float $score
	 * @return string HTML
	 */
	private function scored( $context, $revId, float $score ): string {
		$level = $this->levels->of( $score );
		$name = $level ? $level->name : '';
		// Cut, not rounded: a number never reaches a level that the score does not.
		$hundredths = (int)floor( round( $score * 100, 6 ) );
		$number = $context->getLanguage()->formatNum( sprintf( '%.2f', $hundredths / 100 ) );
		$text = $level
			? $context->msg( 'revisionquality-badge', $number, $context->msg( "revisionquality-level-$name" ) )->text()
			: $context->msg( 'revisionquality-badge-none', $number )->text();
		return $this->element( $text, $name ?: 'none', self::SHAPES[$name], $number, (int)$revId );
	}

	/**
	 * @param string $text
	 * @param string $name
	 * @param string $shape
	 * @param string $number
	 * @param int|null $revId
	 * @return string HTML
	 */
	private function element( $text, $name, $shape, $number, ?int $revId = null ): string {
		$attributes = [
			'class' => [ 'mw-revisionquality', "mw-revisionquality-$name" ],
			'title' => $text,
			'role' => 'img',
			'aria-label' => $text,
		];
		if ( $revId ) {
			$attributes += [ 'tabindex' => '0', 'data-mw-revisionquality' => (string)$revId ];
		}
		return Html::rawElement( 'span', $attributes,
			Html::element( 'span', [ 'class' => 'mw-revisionquality-dot' ], $shape ) .
			Html::element( 'span', [ 'class' => 'mw-revisionquality-number' ], $number )
		);
	}
}
