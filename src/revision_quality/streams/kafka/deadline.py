"""Calls that may never come back, though they were told how long they may take."""

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from threading import Thread

from confluent_kafka import KafkaError, KafkaException


def within(seconds: float, call: Callable[[], None], what: str) -> None:
    """Wait for `call` for so long; then leave it alone in its thread, which holds up no exit.

    Raises what it raises, KafkaException (_TIMED_OUT) that says `what` if it does not come back.
    """
    done: Future[None] = Future()
    Thread(target=_do, args=(call, done), name=f"kafka: {what}", daemon=True).start()
    try:
        done.result(seconds)
    except NotYet as error:
        told = f"{what}: no answer within {seconds:.0f} s"
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, told)) from error


def _do(call: Callable[[], None], done: Future[None]) -> None:
    try:
        call()
    except KafkaException as error:
        done.set_exception(error)
    else:
        done.set_result(None)
