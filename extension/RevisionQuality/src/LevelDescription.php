<?php

namespace MediaWiki\Extension\RevisionQuality;

/**
 * What a level costs and finds, in the reader's words.
 */
class LevelDescription {
	/** @var \MessageLocalizer */
	private $localizer;

	/** @var \Language */
	private $language;

	/**
	 * @param \IContextSource $context
	 */
	public function __construct( $context ) {
		$this->localizer = $context;
		$this->language = $context->getLanguage();
	}

	/**
	 * @param Level $level
	 * @return string
	 */
	public function of( Level $level ): string {
		$parts = [ $this->localizer->msg( "revisionquality-level-{$level->name}-desc" )->text() ];
		$kind = $level->name === Level::GOOD ? 'stay' : 'reverted';
		$parts[] = $level->low === null || $level->high === null
			? $this->localizer->msg( "revisionquality-measured-$kind", $this->percent( $level->precision ) )->text()
			: $this->localizer->msg( "revisionquality-measured-$kind-between", $this->percent( $level->precision ),
				$this->percent( $level->low ), $this->percent( $level->high ) )->text();
		if ( $level->editsADay !== null ) {
			$number = $level->editsADay < 10 ? round( $level->editsADay, 1 ) : round( $level->editsADay );
			$parts[] = $this->localizer->msg( 'revisionquality-measured-a-day' )
				->numParams( $number )->text();
		}
		return implode( ' ', $parts );
	}

	/**
	 * @param float $share 0 to 1
	 * @return string
	 */
	private function percent( float $share ): string {
		return $this->localizer->msg( 'percent' )->numParams( round( $share * 100 ) )->text();
	}
}
