<?php

namespace MediaWiki\Extension\RevisionQuality;

use MediaWiki\Http\HttpRequestFactory;

/**
 * The service revq, over HTTP. Nothing that a page waits for asks it.
 */
class Service {
	private const POST_SECONDS = 10;
	private const ASK_SECONDS = 5;
	private const CONNECT_SECONDS = 3;

	/** For what is posted at once: only a process of the web server waits */
	private const ANSWERED_SECONDS = 1;

	/** The same where who asked the API may wait for it, too */
	private const UNANSWERED_SECONDS = 0.2;

	/** Characters of an answer that a log entry quotes */
	private const QUOTED = 300;

	/** @var HttpRequestFactory */
	private $http;

	/** @var string|null */
	private $url;

	/**
	 * @param HttpRequestFactory $http
	 * @param string|null $url
	 */
	public function __construct( HttpRequestFactory $http, ?string $url ) {
		$this->http = $http;
		$this->url = $url === null ? null : rtrim( $url, '/' );
	}

	/**
	 * @return bool Whether there is an address of it
	 */
	public function isConfigured(): bool {
		return (bool)$this->url;
	}

	/**
	 * Posts an event as EventGate takes it.
	 *
	 * @param array $event
	 * @return string|null Why it has to be sent again, null if it is accepted or never will be
	 */
	public function post( array $event ): ?string {
		return $this->postWithin( $event, self::POST_SECONDS, self::CONNECT_SECONDS );
	}

	/**
	 * Does the same as soon as can be, or not at all.
	 *
	 * @param array $event
	 * @return string|null Why it has to be sent again, null if it is accepted or never will be
	 */
	public function postAtOnce( array $event ): ?string {
		// By this core sends an answer before what is deferred.
		$isAnswered = function_exists( 'fastcgi_finish_request' );
		$seconds = $isAnswered ? self::ANSWERED_SECONDS : self::UNANSWERED_SECONDS;
		return $this->postWithin( $event, $seconds, $seconds );
	}

	/**
	 * @param array $event
	 * @param float $seconds
	 * @param float $connectSeconds
	 * @return string|null
	 */
	private function postWithin( array $event, float $seconds, float $connectSeconds ): ?string {
		$request = $this->http->create( "{$this->url}/v1/events", [
			'method' => 'POST',
			'postData' => json_encode( [ $event ], JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE ),
			'timeout' => $seconds,
			'connectTimeout' => $connectSeconds,
		], __METHOD__ );
		$request->setHeader( 'Content-Type', 'application/json' );
		$request->execute();
		$answer = json_decode( (string)$request->getContent(), true );
		if ( $request->getStatus() === 201 || self::isInvalid( $request->getStatus(), $answer ) ) {
			return null;
		}
		return "{$this->url}/v1/events: HTTP {$request->getStatus()} " .
			mb_scrub( substr( (string)$request->getContent(), 0, self::QUOTED ), 'UTF-8' );
	}

	/**
	 * @param string $wikiId
	 * @param int $revId
	 * @return array[]|null What Reasons::of() reads, strongest first; null where no answer came in time
	 */
	public function reasons( string $wikiId, int $revId ): ?array {
		$url = "{$this->url}/v1/scores/" . rawurlencode( $wikiId ) . "/$revId?explain=1";
		$request = $this->http->create( $url, [
			'timeout' => self::ASK_SECONDS,
			'connectTimeout' => self::CONNECT_SECONDS,
		], __METHOD__ );
		$isOk = $request->execute()->isOK();
		if ( !$request->getStatus() ) {
			return null;
		}
		$answer = $isOk ? json_decode( (string)$request->getContent(), true ) : null;
		$explanation = is_array( $answer ) ? $answer['explanation'] ?? null : null;
		return is_array( $explanation ) ? array_values( array_filter( $explanation, 'is_array' ) ) : [];
	}

	/**
	 * An event that is refused for what it is would be refused again.
	 *
	 * @param int $status
	 * @param mixed $answer
	 * @return bool
	 */
	private static function isInvalid( int $status, $answer ): bool {
		return $status === 400 && is_array( $answer ) && !empty( $answer['invalid'] );
	}
}
