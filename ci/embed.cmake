# Writes OUTPUT: for each file of INPUTS one C++ initialiser {"name", "text"}, for an array of EmbeddedFile.
set(TEXT "")
foreach(INPUT ${INPUTS})
  get_filename_component(NAME ${INPUT} NAME)
  file(READ ${INPUT} HEX HEX)
  # A string literal has a length limit in some compilers; bytes as an array have none.
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," BYTES "${HEX}")
  string(MAKE_C_IDENTIFIER ${NAME} IDENTIFIER)
  string(APPEND ARRAYS "constexpr char k_${IDENTIFIER}[] = {${BYTES}'\\0'};\n")
  string(APPEND TEXT "    {\"${NAME}\", std::string_view(k_${IDENTIFIER}, sizeof(k_${IDENTIFIER}) - 1)},\n")
endforeach()
file(WRITE ${OUTPUT} "${ARRAYS}constexpr EmbeddedFile kEmbeddedTypes[] = {\n${TEXT}};\n")
