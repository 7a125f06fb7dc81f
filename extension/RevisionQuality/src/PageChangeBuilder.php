<?php

namespace MediaWiki\Extension\RevisionQuality;

use MediaWiki\Revision\RevisionLookup;
use MediaWiki\Revision\RevisionRecord;
use MediaWiki\User\UserFactory;
use MediaWiki\User\UserGroupManager;
use MediaWiki\User\UserIdentity;

/**
 * Tells of an edit as the event page_change does.
 *
 * Source: the schema /mediawiki/page/change/1.2.0 of Wikimedia's event schema repository.
 */
class PageChangeBuilder {
	private const SCHEMA = '/mediawiki/page/change/1.2.0';
	private const STREAM = 'mediawiki.page_change.v1';

	/** @var RevisionLookup */
	private $revisionLookup;

	/** @var \TitleFormatter */
	private $titleFormatter;

	/** @var UserFactory */
	private $userFactory;

	/** @var UserGroupManager */
	private $userGroupManager;

	/**
	 * @param RevisionLookup $revisionLookup
	 * @param \MediaWiki\Title\TitleFormatter|\TitleFormatter $titleFormatter
	 * @param UserFactory $userFactory
	 * @param UserGroupManager $userGroupManager
	 */
	public function __construct(
		RevisionLookup $revisionLookup,
		$titleFormatter,
		UserFactory $userFactory,
		UserGroupManager $userGroupManager
	) {
		$this->revisionLookup = $revisionLookup;
		$this->titleFormatter = $titleFormatter;
		$this->userFactory = $userFactory;
		$this->userGroupManager = $userGroupManager;
	}

	/**
	 * @param RevisionRecord $revision
	 * @param string $wikiId
	 * @param string $pageUrl
	 * @param bool $isBot Whether the edit is flagged as a bot's
	 * @return array
	 */
	public function build( RevisionRecord $revision, string $wikiId, string $pageUrl, bool $isBot ): array {
		$parent = $revision->getParentId() ? $this->revisionLookup->getPreviousRevision( $revision ) : null;
		$told = $this->revision( $revision, $isBot );
		$event = [
			'$schema' => self::SCHEMA,
			'meta' => [
				'stream' => self::STREAM,
				'id' => self::identifier( $wikiId, $revision->getId() ),
				'domain' => (string)parse_url( $pageUrl, PHP_URL_HOST ),
				'uri' => $pageUrl,
			],
			'dt' => $told['rev_dt'],
			'wiki_id' => $wikiId,
			'page_change_kind' => $revision->getParentId() ? 'edit' : 'create',
			'changelog_kind' => $revision->getParentId() ? 'update' : 'insert',
			'page' => $this->page( $revision ),
			'revision' => $told,
		];
		if ( isset( $told['editor'] ) ) {
			$event['performer'] = $told['editor'];
		}
		if ( $parent ) {
			$event['prior_state'] = [ 'revision' => $this->revision( $parent, false ) ];
		}
		return $event;
	}

	/**
	 * @param RevisionRecord $revision
	 * @return array
	 */
	private function page( RevisionRecord $revision ): array {
		$main = $revision->isDeleted( RevisionRecord::DELETED_TEXT ) ? null : $revision->getContent( 'main' );
		return [
			'page_id' => $revision->getPageId(),
			'page_title' => $this->titleFormatter->getPrefixedDBkey( $revision->getPageAsLinkTarget() ),
			'namespace_id' => $revision->getPageAsLinkTarget()->getNamespace(),
			'is_redirect' => $main !== null && $main->isRedirect(),
		];
	}

	/**
	 * @param RevisionRecord $revision
	 * @param bool $isBot
	 * @return array What everybody may read of it
	 */
	private function revision( RevisionRecord $revision, bool $isBot ): array {
		$user = $revision->getUser();
		$comment = $revision->getComment();
		$told = [
			'rev_id' => $revision->getId(),
			'rev_dt' => wfTimestamp( TS_ISO_8601, $revision->getTimestamp() ),
			'is_minor_edit' => $revision->isMinor(),
			'rev_size' => $revision->getSize(),
			'is_content_visible' => !$revision->isDeleted( RevisionRecord::DELETED_TEXT ),
			'is_editor_visible' => $user !== null,
			'is_comment_visible' => $comment !== null,
			'content_slots' => $this->slots( $revision ),
		];
		if ( $told['is_content_visible'] ) {
			// The hash of a hidden text would tell whether it is a text that somebody guesses.
			$told['rev_sha1'] = $revision->getSha1();
		}
		if ( $revision->getParentId() !== null ) {
			$told['rev_parent_id'] = $revision->getParentId();
		}
		if ( $comment ) {
			$told['comment'] = $comment->text;
		}
		if ( $user ) {
			$told['editor'] = $this->user( $user, $isBot );
		}
		return $told;
	}

	/**
	 * @param RevisionRecord $revision
	 * @return array
	 */
	private function slots( RevisionRecord $revision ): array {
		$slots = [];
		$isVisible = !$revision->isDeleted( RevisionRecord::DELETED_TEXT );
		foreach ( $revision->getSlots()->getSlots() as $role => $slot ) {
			$slots[$role] = [
				'slot_role' => $role,
				'content_model' => $slot->getModel(),
				'content_size' => $slot->getSize(),
				'origin_rev_id' => $slot->getOrigin(),
			] + ( $isVisible ? [ 'content_sha1' => $slot->getSha1() ] : [] );
		}
		return $slots;
	}

	/**
	 * @param UserIdentity $identity
	 * @param bool $isBot
	 * @return array
	 */
	private function user( UserIdentity $identity, bool $isBot ): array {
		$groups = $this->userGroupManager->getUserEffectiveGroups( $identity );
		$told = [
			'user_text' => $identity->getName(),
			'groups' => array_values( $groups ),
			'is_bot' => $isBot || in_array( 'bot', $groups, true ),
			'is_system' => false,
		];
		if ( !$identity->isRegistered() ) {
			return $told + [ 'is_temp' => false ];
		}
		$user = $this->userFactory->newFromUserIdentity( $identity );
		$told['is_system'] = $user->isSystemUser();
		// Before MediaWiki 1.41 there are no temporary accounts.
		$told['is_temp'] = method_exists( $user, 'isTemp' ) && $user->isTemp();
		$told['user_id'] = $identity->getId();
		$told['edit_count'] = (int)$user->getEditCount();
		$registration = $user->getRegistration();
		if ( $registration ) {
			$told['registration_dt'] = wfTimestamp( TS_ISO_8601, $registration );
		}
		return $told;
	}

	/**
	 * @param string $wikiId
	 * @param int $revId
	 * @return string A UUID, the same whenever the event is sent again
	 */
	private static function identifier( string $wikiId, int $revId ): string {
		$hash = sha1( "RevisionQuality page_change $wikiId $revId" );
		// Version and variant as RFC 9562 has them for a name's SHA-1.
		$hash[12] = '5';
		$hash[16] = dechex( hexdec( $hash[16] ) & 3 | 8 );
		return implode( '-', [
			substr( $hash, 0, 8 ), substr( $hash, 8, 4 ), substr( $hash, 12, 4 ),
			substr( $hash, 16, 4 ), substr( $hash, 20, 12 ),
		] );
	}
}
