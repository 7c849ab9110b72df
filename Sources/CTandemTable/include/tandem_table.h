typedef int tandem_table_placeholder;
