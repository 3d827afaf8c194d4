def main(rows: int) -> int:
    return 0
