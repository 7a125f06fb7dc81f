<?php

namespace MediaWiki\Extension\RevisionQuality;

/**
 * Makes the tables.
 */
class SchemaHooks {
	/**
	 * @param \DatabaseUpdater $updater
	 */
	public function onLoadExtensionSchemaUpdates( $updater ) {
		$kind = $updater->getDB()->getType();
		$updater->addExtensionTable(
			'revision_quality_flag',
			dirname( __DIR__ ) . "/sql/$kind/tables-generated.sql"
		);
	}
}
