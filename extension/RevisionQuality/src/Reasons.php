<?php

namespace MediaWiki\Extension\RevisionQuality;

use MediaWiki\Languages\LanguageFallback;

/**
 * Reasons of a score in the reader's language.
 */
class Reasons {
	/** Numbers from here on are told without decimals */
	private const LARGE = 100;

	/** The least number that is told as such */
	private const LEAST = 0.1;

	/** @var \MessageLocalizer */
	private $localizer;

	/** @var \Language */
	private $language;

	/** @var string What the reader's language falls back to where there are no messages in it; BCP 47 */
	private $told;

	/**
	 * @param \IContextSource $context
	 * @param LanguageFallback $fallback
	 */
	public function __construct( $context, LanguageFallback $fallback ) {
		$this->localizer = $context;
		$this->language = $context->getLanguage();
		$this->told = $this->languageOfMessages( $fallback );
	}

	/**
	 * @param array[] $told Objects of the service with feature, form, value, is_limit and text
	 * @return array[] text and language of each
	 */
	public function of( array $told ): array {
		return array_values( array_filter( array_map( [ $this, 'phrase' ], $told ) ) );
	}

	/**
	 * @param array $reason
	 * @return array|null Null for what is no reason
	 */
	private function phrase( array $reason ): ?array {
		$english = $reason['text'] ?? null;
		if ( !is_string( $english ) ) {
			return null;
		}
		$feature = $reason['feature'] ?? null;
		$form = $reason['form'] ?? null;
		$value = $reason['value'] ?? null;
		if ( is_string( $feature ) && is_string( $form ) && is_numeric( $value ) ) {
			$key = 'revisionquality-reason-' . strtr( $feature, '_', '-' ) . "-$form";
			$message = $this->localizer->msg( $key );
			if ( $message->exists() ) {
				$size = abs( (float)$value );
				$shown = $this->shown( $size );
				$number = $this->language->formatNum( $shown );
				if ( !empty( $reason['is_limit'] ) ) {
					$number = $this->localizer->msg( 'revisionquality-reason-at-least', $number )->text();
				} elseif ( $size > 0 && $size < self::LEAST ) {
					$number = $this->localizer->msg( 'revisionquality-reason-less-than', $number )->text();
				}
				$percent = $this->localizer->msg( 'percent' )->numParams( round( $size * 100 ) )->text();
				return [
					'text' => $message->params( $number, $shown, $percent )->text(),
					'language' => $this->told,
				];
			}
		}
		// A feature of a newer model, or of one that is not ours.
		return [ 'text' => $english, 'language' => 'en' ];
	}

	/**
	 * @param LanguageFallback $fallback
	 * @return string
	 */
	private function languageOfMessages( LanguageFallback $fallback ): string {
		$own = $this->language->getCode();
		foreach ( array_merge( [ $own ], $fallback->getAll( $own ) ) as $code ) {
			// Each of the files has all messages.
			if ( is_file( dirname( __DIR__ ) . "/i18n/reasons/$code.json" ) ) {
				return \LanguageCode::bcp47( $code );
			}
		}
		return 'en';
	}

	/**
	 * @param float $size
	 * @return float As it is told, which a plural form has to agree with
	 */
	private function shown( float $size ): float {
		if ( $size > 0 && $size < self::LEAST ) {
			return self::LEAST;
		}
		return $size >= self::LARGE ? round( $size ) : round( $size, 1 );
	}
}
