"""A producer in another language: what it may write and the Python client can't.

The client library itself is called, the one that the Python package brings along.
"""

import ctypes

import confluent_kafka.cimpl

# rd_kafka_vtype_t and RD_KAFKA_MSG_F_COPY of rdkafka.h.
_END, _TOPIC, _VALUE, _FLAGS, _HEADERS = 0, 1, 4, 7, 10
_COPY = 2
_PRODUCER = 0
_WAIT_MS = 10_000
_Handle = ctypes.c_void_p


def produce_with_header(bootstrap: str, topic: str, *, value: bytes, name: bytes) -> None:
    """Write one record with one header of that name, whatever bytes it has.

    Raises:
        OSError: if the library refuses, or the broker does not answer.
    """
    library = ctypes.CDLL(confluent_kafka.cimpl.__file__)
    for function in (library.rd_kafka_conf_new, library.rd_kafka_new, library.rd_kafka_headers_new):
        function.restype = _Handle
    problem = ctypes.create_string_buffer(512)
    settings = _Handle(library.rd_kafka_conf_new())
    library.rd_kafka_conf_set(
        settings, b"bootstrap.servers", bootstrap.encode(), problem, ctypes.c_size_t(512)
    )
    producer = _Handle(library.rd_kafka_new(_PRODUCER, settings, problem, ctypes.c_size_t(512)))
    headers = _Handle(library.rd_kafka_headers_new(ctypes.c_size_t(1)))
    library.rd_kafka_header_add(
        headers, name, ctypes.c_ssize_t(len(name)), b"here", ctypes.c_ssize_t(4)
    )
    code = library.rd_kafka_producev(
        producer,
        *(ctypes.c_int(_TOPIC), ctypes.c_char_p(topic.encode())),
        *(ctypes.c_int(_FLAGS), ctypes.c_int(_COPY)),
        *(ctypes.c_int(_VALUE), ctypes.c_char_p(value), ctypes.c_size_t(len(value))),
        *(ctypes.c_int(_HEADERS), headers),
        ctypes.c_int(_END),
    )
    left = library.rd_kafka_flush(producer, _WAIT_MS)
    library.rd_kafka_destroy(producer)
    if code or left:
        raise OSError(f"not written to {topic}: {problem.value.decode()} ({code}, {left} left)")
